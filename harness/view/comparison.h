// The tables of a comparison: for each workload variant the time and the memory against the baseline with
// intervals and verdicts in plain words, then the other headline figures; what failed stands in every table.
// Pure: results and what stats/ computed of them in, text tables out. The exporters put them on paper.
#pragma once

#include <string>
#include <vector>

#include "harness/record/record.h"
#include "harness/stats/analysis.h"
#include "harness/view/text_table.h"

namespace heapmark::view {

// "faster", "less", "equal within 3 %", "cannot tell, +4 rounds", ...: the verdict on a metric in words.
[[nodiscard]] std::string verdict_words(const stats::Ratio& ratio, const plan::Metric& metric, double margin);

// "0.64 [0.63, 0.65]"; the median alone where there is no interval.
[[nodiscard]] std::string ratio_words(const stats::Summary& ratio);

// "3 %", "0.5 %".
[[nodiscard]] std::string percent(double share);

[[nodiscard]] std::vector<TextTable> comparison_tables(const record::Results& results,
                                                       const stats::Analysis& analysis);

// The whole comparison in one table: a row for each deciding figure of each workload variant, a column for
// each allocator, with the mark of its verdict. Faults and kernel calls, which explain rather than decide,
// are left out.
[[nodiscard]] TextTable overview_table(const record::Results& results, const stats::Analysis& analysis);

// What stands below the tables: what the marks mean; what was skipped and why; which allocators are not for
// use; how many trials failed.
[[nodiscard]] std::vector<std::string> comparison_notes(const record::Results& results, double margin);

}  // namespace heapmark::view
