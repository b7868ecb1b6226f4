// From when on a workload's resident memory and times did not drift any more: from the samples of the memory
// pass (phase "work") and the slices of the speed pass. Pure arithmetic on a trial's tables. A series is cut
// into twentieths (of what has fewer values, one value each), so that memory which rises and falls within a
// unit of work does not count as drift.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "harness/trial/trial.h"

namespace heapmark::stats {

// The metrics that stand for it, of workloads that declare them.
inline constexpr std::string_view kRssSteadyFrom = "rss_steady_from", kTimeSteadyFrom = "time_steady_from";

inline constexpr double kRssTolerance = 0.02, kTimeTolerance = 0.10;  // shares

// The share of a series after which all values lie within `tolerance` (a share) of the mean of the last
// quarter. Nothing where that is more than three quarters, which is: it never became steady, or of fewer than
// eight values.
[[nodiscard]] std::optional<double> steady_from(std::span<const double> values, double tolerance);

// Shares of the work, from 0 to 1; nothing where it never became steady, or too little was measured to say.
struct Steadiness {
  std::optional<double> rss_from;   // of a trial with samples
  std::optional<double> time_from;  // of a trial with samples or slices: nanoseconds an operation or unit
};
[[nodiscard]] Steadiness steadiness_of(const trial::TrialResult& result);

}  // namespace heapmark::stats
