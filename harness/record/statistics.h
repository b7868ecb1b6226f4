// Groups records and summarizes them: for each workload variant, pass, metric and allocator the median with
// its interval, and the paired ratio to the baseline with a verdict. A pure function of the records.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/record/record.h"
#include "harness/stats/summary.h"

namespace heapmark::record {

struct Ratio {
  std::string baseline;
  stats::Summary summary;
  stats::Verdict verdict;
};

struct Statistic {
  std::string workload, variant, pass, metric, allocator;
  std::size_t failed = 0;                 // trials of this group that did not end well
  std::string failure;                    // outcome and message of the first of them
  std::size_t not_measured = 0;           // trials that ended well on a machine that cannot tell this figure
  std::optional<stats::Summary> summary;  // absent where no trial measured it
  std::optional<Ratio> ratio;             // absent for the baseline and where no ratio can be formed
};

// In the order of the records' workloads and variants, the workload's metrics, then the user's allocators.
[[nodiscard]] std::vector<Statistic> statistics_of(const Results& results);

// The tunables of a sweep, in the order of their first appearance: where one allocator was measured at three
// settings or more and nothing else was. Else none.
[[nodiscard]] std::vector<std::string> swept_tunables(const Results& results);

[[nodiscard]] json to_json(const Statistic& statistic);

[[nodiscard]] std::string_view verdict_name(stats::Verdict verdict);

}  // namespace heapmark::record
