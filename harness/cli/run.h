// `heapmark run`: what was asked for -> a plan -> trials -> a results file -> tables.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/cli/paths.h"
#include "harness/plan/plan.h"

namespace heapmark::cli {

struct RunOptions {
  std::string allocators = "all";
  std::vector<std::string> workloads;
  std::vector<std::string> passes;
  std::optional<unsigned> rounds;  // of the speed pass; the others follow, see rounds_of
  std::vector<std::string> sets;   // "param=value"
  bool quick = false;
  bool check = false;
  std::uint64_t seed = 1;
  std::string output;    // "": a dated file in the working directory
  std::string resume;    // a results file to go on with
  std::string baseline;  // "": glibc where chosen, else the first allocator
  std::string command;   // as typed, for the record
};

// Speed needs rounds against noise; what a workload holds hardly varies; what it asks of the kernel and what
// fails under a limit is the same each time.
[[nodiscard]] plan::Rounds rounds_of(std::optional<unsigned> asked, bool quick);

// Returns the exit code: 0, or 3 where a trial failed, or 130 after Ctrl-C. Throws UsageError.
[[nodiscard]] int run(const Paths& paths, const RunOptions& options);

}  // namespace heapmark::cli
