// `heapmark tutorial`: how malloc works, told step by step with this machine's figures.
#pragma once

#include <filesystem>
#include <string>

#include "harness/cli/paths.h"

namespace heapmark::cli {

struct TutorialOptions {
  std::string allocators = "glibc,brkmmap";
  std::string swap = "present";  // or "file": one is made for the time, where there is none
  std::filesystem::path swap_folder = "/var/tmp";
};

// Runs the tutorial once on each allocator of the list. Returns 0, or 3 where a trial failed. Where no swap
// file can be made it says why and goes on without. Throws UsageError for a word that `swap` does not know.
[[nodiscard]] int tutorial(const Paths& paths, const TutorialOptions& options);

}  // namespace heapmark::cli
