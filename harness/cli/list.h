// `heapmark list [allocators|workloads|metrics]`: what can be measured here, with what, and which figures
// come out.
#pragma once

#include <string_view>

#include "harness/cli/paths.h"

namespace heapmark::cli {

// `what`: "allocators", "workloads", "metrics", or "" for all three. Prints to stdout; returns the exit code.
// Throws UsageError for any other word or a catalog that cannot be read.
int list(const Paths& paths, std::string_view what);

}  // namespace heapmark::cli
