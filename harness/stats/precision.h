// How precisely times were measured: the widths of the intervals of time ratios, and whether that is enough
// for `--precision`. Pure functions of the records.
#pragma once

#include <string>
#include <vector>

#include "harness/record/record.h"

namespace heapmark::stats {

// With fewer rounds no interval of times counts as narrow.
inline constexpr unsigned kLeastRounds = 3;

// The widest interval of a workload variant's time ratios to the baseline.
struct Reached {
  std::string workload, variant, allocator;
  double half_width = 0;  // of the interval, as a share of the ratio; infinite where there is no interval yet
  unsigned threads = 1;   // that the workload has at one time, as far as the records tell
};

// The half-width that `--precision` asks for. Twice as much where several threads work: which of them share a
// CPU, and when, differs from one launch to the next, so their times scatter twice as far.
[[nodiscard]] constexpr double wanted_half_width(double precision, unsigned threads) {
  return threads > 1 ? 2 * precision : precision;
}

// One row for each workload variant of the speed pass in which a ratio can be formed.
[[nodiscard]] std::vector<Reached> time_precision(const record::Results& results);

// Whether more rounds of this allocator on this workload variant are wanted: until the interval of its time
// ratio is as narrow as `precision` asks, and always before the third round, since the interval of two may be
// narrow by luck. Not once three trials in a row failed, of it or of the baseline, nor where three gave no
// ratio.
[[nodiscard]] bool wants_more_rounds(const record::Results& results, const std::string& workload,
                                     const std::string& variant, const std::string& allocator,
                                     double precision);

// By which factor the widest interval of this workload variant's time ratios is wider than `precision` asks:
// at most 1 where no further round of it is wanted. Infinite while an allocator, or the baseline, was tried
// less than three times, or has fewer than three ratios.
[[nodiscard]] double precision_shortfall(const record::Results& results, const std::string& workload,
                                         const std::string& variant, double precision);

}  // namespace heapmark::stats
