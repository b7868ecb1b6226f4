// What the pressure pass needs of what is known only during a run: the limit in bytes, once the baseline's
// peak was measured, and how large the swap must be. Pure: above it measure.h and the verbs, below the
// records.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/record/record.h"
#include "harness/trial/swap_space.h"
#include "harness/trial/trial.h"

namespace heapmark::cli {

// The limit of a trial: its share of the peak that the baseline reached without a limit on the same workload
// variant, in the first of `records` that tells it, so that all allocators and rounds get the same limit. 0:
// the trial has none, or the peak is not known.
[[nodiscard]] std::uint64_t limit_bytes_of(const trial::TrialSpec& spec, const std::string& baseline,
                                           const std::vector<record::Record>& records);

// `kind`: as Request::swap. `folder`: of a swap file; "" for the usual one. Large enough for the largest
// trial.
[[nodiscard]] trial::SwapAsked swap_for(const std::vector<trial::TrialSpec>& plan, const std::string& kind,
                                        const std::string& folder);

}  // namespace heapmark::cli
