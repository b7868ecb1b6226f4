// The summary of a lockstep session: what each process's slices took, without what the machine did to them.
//
// A slice's time is its wall time less the time in which another used its CPU ("foreign" time), which is
// measured and not guessed from outliers:
//   one thread        a thread that did not sleep was either running or kept from it: wall time less CPU
//   time.
//                     Where it slept (voluntary switches), only the time in the run queue is foreign.
//   several threads   they also wait for one another, so the two cannot be told apart exactly. A slice in
//   which
//                     the process got less than 1/1.25 of the CPU time per wall time that it usually gets
//                     (median of its slices) counts as if it had got that much.
//
// A process's time is the sum of its slices' times. A ratio to the baseline is therefore the mean of the
// slices' ratios, weighted with the baseline's time in the slice: rare slices that are expensive through the
// allocator's own doing (a purge, a table that grows) count in full, since that is what a program pays. A
// median or trimmed mean of the slices' ratios would leave them out, and would weigh the phases of a workload
// (fill, ask for large blocks) by the number of slices instead of by their time. The median is reported
// beside it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace heapmark::stats {

struct Slice {
  double units = 0, wall_ns = 0, cpu_ns = 0;
  std::optional<double> queue_ns;  // absent where the kernel does not tell
  double voluntary_switches = 0;
};

struct ProcessTime {
  std::vector<double> slice_ns;  // without foreign time
  double sum_ns = 0;
  double wall_ns = 0;  // with it
  [[nodiscard]] double foreign_share() const { return wall_ns > 0 ? 1 - sum_ns / wall_ns : 0; }
};

// `threads` that the workload has at one time.
[[nodiscard]] ProcessTime time_of(std::span<const Slice> slices, unsigned threads);

// The ratios of slices with the same index, on logarithms: median, and the median distance from it (MAD).
struct SliceRatios {
  double median = 1;
  double spread = 0;  // of the logarithms
};

// Nothing where the processes did not make the same slices, or a slice took no time.
[[nodiscard]] std::optional<SliceRatios> slice_ratios(const ProcessTime& process,
                                                      const ProcessTime& baseline);

}  // namespace heapmark::stats
