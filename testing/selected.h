// The allocators of this machine, as `-a LIST` selects them from the real catalog, for tests.
#pragma once

#include <cstdlib>
#include <string>
#include <vector>

#include "harness/cli/known.h"
#include "harness/plan/selection.h"

namespace heapmark::testing {

inline std::vector<plan::Allocator> real_catalog() {
  return cli::load_catalog(std::string(std::getenv("HEAPMARK_SOURCE_DIR")) + "/allocators/catalog");
}

inline std::vector<plan::Selection> select(const std::string& list) {
  const std::string build = std::getenv("HEAPMARK_BUILD_DIR");
  return plan::select(list, real_catalog(), cli::MachineLibraries(build), build + "/libheapmark-noop.so");
}

}  // namespace heapmark::testing
