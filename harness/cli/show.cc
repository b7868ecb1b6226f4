// See show.h.
#include "harness/cli/show.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "harness/cli/terminal.h"
#include "harness/plan/did_you_mean.h"
#include "harness/plan/usage_error.h"
#include "harness/record/objectives.h"
#include "harness/record/results_file.h"
#include "harness/view/comparison.h"

namespace heapmark::cli {

int show(const std::string& file, const std::string& format, const std::string& baseline) {
  record::Results results = record::read_results(file);
  if (!baseline.empty()) {
    std::vector<std::string> labels;
    for (const record::AllocatorFound& one : results.allocators) labels.push_back(one.label);
    if (std::find(labels.begin(), labels.end(), baseline) == labels.end())
      throw UsageError("--baseline: " + plan::unknown("allocator of this file", baseline, labels));
    results.asked.baseline = baseline;
  }
  if (results.records.empty()) fmt::print(stderr, "heapmark: {} holds no finished trial\n", file);
  if (format == "objectives")
    fmt::print("{}\n", record::objectives_json(results).dump(1));
  else if (format == "csv")
    fmt::print("{}", view::comparison_csv(results));
  else if (format == "overview")
    fmt::print("{}", view::overview_for_markdown(results));
  else if (format == "markdown")
    fmt::print("{}", view::comparison_for_markdown(results));
  else
    fmt::print("{}", view::comparison_for_terminal(results, terminal_width(stdout), is_terminal(stdout)));
  return 0;
}

}  // namespace heapmark::cli
