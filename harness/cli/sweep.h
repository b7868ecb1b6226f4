// `heapmark sweep`: one allocator at every combination of the values of its tunables, as an ordinary run with
// its defaults as baseline.
#pragma once

#include <string>
#include <vector>

#include "harness/cli/paths.h"
#include "harness/cli/run.h"

namespace heapmark::cli {

struct SweepOptions {
  RunOptions run;                   // its `allocators` names the one that is varied
  std::vector<std::string> varied;  // "mmap_threshold=32K..32M*4"
};

// With a budget it measures one trial of each kind on the defaults, prints the plan with its estimate, and
// where that is over the budget takes fewer rounds, then fewer values, saying which. Exit codes as run().
[[nodiscard]] int sweep(const Paths& paths, SweepOptions options);

}  // namespace heapmark::cli
