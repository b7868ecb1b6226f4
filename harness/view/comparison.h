// The tables of a comparison, made from results: for each workload variant the time and the memory against
// the baseline with intervals and verdicts in plain words, then the other headline figures; what failed
// stands in every table. Pure: results in, text tables out.
#pragma once

#include <string>
#include <vector>

#include "harness/record/record.h"
#include "harness/record/statistics.h"
#include "harness/view/text_table.h"

namespace heapmark::view {

// "faster", "less memory", "no difference", ...: the verdict on a metric in words.
[[nodiscard]] std::string verdict_words(stats::Verdict verdict, const plan::Metric& metric);

[[nodiscard]] std::vector<TextTable> comparison_tables(const record::Results& results,
                                                       const std::vector<record::Statistic>& statistics);

// The whole comparison in one table: a row for each deciding figure of each workload variant, a column for
// each allocator, with the mark of its verdict. Faults and kernel calls, which explain rather than decide,
// are left out.
[[nodiscard]] TextTable overview_table(const record::Results& results,
                                       const std::vector<record::Statistic>& statistics);

// What stands above and below the tables: what was skipped and why; which allocators are not for use; how
// many trials failed; what the marks mean.
[[nodiscard]] std::vector<std::string> comparison_notes(const record::Results& results);

// The whole comparison as it goes to a terminal or into a markdown file.
[[nodiscard]] std::string comparison_for_terminal(const record::Results& results, std::size_t width,
                                                  bool colour);
[[nodiscard]] std::string comparison_for_markdown(const record::Results& results);
[[nodiscard]] std::string overview_for_markdown(const record::Results& results);

// One row a statistic, numbers as measured, for other programs (RFC 4180).
[[nodiscard]] std::string comparison_csv(const record::Results& results);

}  // namespace heapmark::view
