// Groups records and summarizes them: for each workload variant, pass, metric and allocator the median with
// its interval, and the paired ratio to the baseline with a verdict. A pure function of the records.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/record/record.h"
#include "harness/stats/summary.h"

namespace heapmark::stats {

struct Ratio {
  std::string baseline;
  Summary summary;
  Verdict verdict = Verdict::kCannotTell;
  std::optional<std::size_t> more_rounds;  // see Judgement
};

struct Statistic {
  std::string workload, variant, pass, metric, allocator;
  bool headline = false;           // of the metric: it stands in the main tables
  bool shown = false;              // of the passes that measured this metric here, tables show this one
  std::size_t failed = 0;          // trials of this group that did not end well
  std::string failure;             // outcome and message of the first of them
  std::size_t not_measured = 0;    // trials that ended well on a machine that cannot tell this figure
  std::optional<Summary> summary;  // absent where no trial measured it
  std::optional<Ratio> ratio;      // absent for the baseline and where no ratio can be formed
};

// In the order of the records' workloads and variants, the workload's metrics, then the user's allocators.
// `margin`: ratios within 1 +- margin are called equal.
[[nodiscard]] std::vector<Statistic> statistics_of(const record::Results& results, double margin);

// The tunables of a sweep, in the order of their first appearance: where one allocator was measured at three
// settings or more and nothing else was. Else none.
[[nodiscard]] std::vector<std::string> swept_tunables(const record::Results& results);

[[nodiscard]] record::json to_json(const Statistic& statistic);

}  // namespace heapmark::stats
