// How the trials of one round of a workload variant become lockstep sessions: which of them can run in
// lockstep, and which fit into memory together. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "harness/trial/trial.h"

namespace heapmark::plan {

// Share of the available memory that the processes of a session may take together.
inline constexpr double kSessionMemoryShare = 0.6;

// With more processes the turns of one slice lie too far apart in time.
inline constexpr std::size_t kMostInSession = 10;

struct SessionSets {
  // Each begins with the baseline, or with the first trial where the baseline is not among them.
  std::vector<std::vector<trial::TrialSpec>> sets;
  std::vector<trial::TrialSpec> in_rounds;  // one after the other, as they came
  std::string why;                          // sentences for the user where it is not one session; else ""
};

// `group`: the trials of one round of a workload variant in the speed pass.
[[nodiscard]] SessionSets session_sets(const std::vector<trial::TrialSpec>& group,
                                       const std::string& baseline, std::uint64_t available_bytes);

}  // namespace heapmark::plan
