// See show.h.
#include "harness/cli/show.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "harness/cli/run.h"
#include "harness/cli/terminal.h"
#include "harness/plan/did_you_mean.h"
#include "harness/plan/selection.h"
#include "harness/plan/usage_error.h"
#include "harness/record/results_file.h"
#include "harness/view/excerpt.h"
#include "harness/view/exporter.h"

namespace heapmark::cli {

int show(const ShowOptions& options) {
  const view::Exporter* const exporter = view::find_exporter(options.format);
  if (exporter == nullptr) {
    std::vector<std::string> names;
    for (const view::Exporter& one : view::exporters()) names.emplace_back(one.name);
    throw UsageError("--format: " + plan::unknown("format", options.format, names));
  }
  record::Results results = record::read_results(options.file);
  if (!options.baseline.empty()) {
    std::vector<std::string> labels;
    for (const record::AllocatorFound& one : results.allocators) labels.push_back(one.label);
    if (std::find(labels.begin(), labels.end(), options.baseline) == labels.end())
      throw UsageError("--baseline: " + plan::unknown("allocator of this file", options.baseline, labels));
    results.asked.baseline = options.baseline;
  }
  if (!options.margin.empty()) results.asked.margin = parse_margin(options.margin);
  if (results.records.empty()) warn(options.file + " holds no finished trial");
  stats::Analysis analysis = stats::analyse(results);
  const auto parts = [](const std::string& list) {
    return list.empty() ? std::vector<std::string>() : plan::split(list);
  };
  view::cut_to({parts(options.allocators), parts(options.figures)}, results, analysis);
  fmt::print("{}", exporter->render(
                       {results, analysis, options.file, terminal_width(stdout), wants_colour(stdout)}));
  return 0;
}

}  // namespace heapmark::cli
