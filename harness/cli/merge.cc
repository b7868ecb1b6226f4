// See merge.h.
#include "harness/cli/merge.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "harness/cli/exit_codes.h"
#include "harness/cli/output.h"
#include "harness/cli/terminal.h"
#include "harness/plan/usage_error.h"
#include "harness/record/merge.h"
#include "harness/record/results_file.h"
#include "harness/record/results_lock.h"
#include "harness/stats/analysis.h"

namespace heapmark::cli {

int merge(const MergeOptions& options) {
  require_file_name("-o", options.output);
  const record::ResultsLock lock(options.output);
  if (std::filesystem::exists(options.output))
    throw UsageError(options.output + " exists: choose another -o");
  std::vector<record::Part> parts;
  for (const std::string& file : options.files) parts.push_back({file, record::read_results(file)});
  std::vector<std::string> missing;
  record::ResultsFile merged(options.output,
                             record::merge(std::move(parts), options.without_tables, missing));
  merged.finish(stats::statistics_json(stats::analyse(merged.results())));
  const auto& records = merged.results().records;
  const auto failed = std::count_if(records.begin(), records.end(), [](const record::Record& one) {
    return one.result.outcome != trial::Outcome::kOk;
  });
  fmt::print("{} trials of {} files, {} failed\nResults: {}\n", records.size(), options.files.size(), failed,
             options.output);
  if (!missing.empty()) warn(fmt::format("the plan is not complete: {} missing", fmt::join(missing, ", ")));
  return missing.empty() ? 0 : kSomeTrialFailed;
}

}  // namespace heapmark::cli
