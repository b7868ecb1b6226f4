// `heapmark tutorial`: how malloc works, told step by step with this machine's figures.
#pragma once

#include <string>

#include "harness/cli/paths.h"

namespace heapmark::cli {

// Runs the tutorial once on each allocator of the list. Returns 0, or 3 where a trial failed.
[[nodiscard]] int tutorial(const Paths& paths, const std::string& allocators);

}  // namespace heapmark::cli
