// How precisely times were measured: the widths of the intervals of time ratios, and whether that is enough
// for
// `--precision`. Pure functions of the records.
#pragma once

#include <string>
#include <vector>

#include "harness/record/record.h"

namespace heapmark::stats {

// The widest interval of a workload variant's time ratios to the baseline.
struct Reached {
  std::string workload, variant, allocator;
  double half_width = 0;  // of the interval, as a share of the ratio; infinite where there is no interval yet
};

// One row for each workload variant of the speed pass in which a ratio can be formed.
[[nodiscard]] std::vector<Reached> time_precision(const record::Results& results);

// Whether every interval of this workload variant is at most as wide as `precision`. False before the third
// round: the interval of two rounds may be narrow by luck.
[[nodiscard]] bool is_precise(const record::Results& results, const std::string& workload,
                              const std::string& variant, double precision);

}  // namespace heapmark::stats
