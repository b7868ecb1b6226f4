// The pressure pass: a trial in a memory cgroup of its own, without a limit or with one, with swap or
// without, and the search for the smallest limit that suffices. Below it: the cgroup, the swap, the
// bisection; how a process is run is the executor's, handed in. Decides no limit: the plan gives shares,
// cli/measure the bytes.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "harness/trial/memory_cgroup.h"
#include "harness/trial/swap_space.h"
#include "harness/trial/trial.h"

namespace heapmark::trial {

// A trial that takes longer than this many times its own time without a limit does not count as completed in
// the search for the smallest limit; a second is added for the start of a process.
inline constexpr double kSlowdownOfCompletion = 5;

class Pressure {
 public:
  // Runs one process of the trial in this cgroup, to its end.
  using RunIn = std::function<TrialResult(const TrialSpec&, MemoryCgroup&)>;

  // Makes the swap, and finds out whether a cgroup can be made. What is missing is kept, and told by each
  // trial.
  explicit Pressure(const SwapAsked& asked);

  // Refused, with what is missing and how to provide it, where a cgroup or the swap cannot be had, the
  // machine has too little memory, or a share is asked for without the bytes (spec.limit_bytes) that it comes
  // to.
  [[nodiscard]] TrialResult run(const TrialSpec& spec, const RunIn& run_in);

 private:
  [[nodiscard]] std::string why_not(const TrialSpec& spec) const;
  [[nodiscard]] TrialResult run_once(const TrialSpec& spec, std::uint64_t limit_bytes, bool with_swap,
                                     const RunIn& run_in) const;
  void find_smallest(const TrialSpec& spec, const RunIn& run_in, TrialResult& unlimited) const;

  std::optional<SwapSpace> swap_;
  std::optional<CgroupPlace> place_;  // destroyed first: what runs in it may use the swap
  std::string missing_;
};

}  // namespace heapmark::trial
