// See measure.h.
#include "harness/cli/measure.h"

#include <algorithm>
#include <set>

namespace heapmark::cli {
namespace {

void require_metrics(const trial::TrialSpec& spec, const std::vector<plan::WorkloadInfo>& workloads,
                     trial::TrialResult& result) {
  if (result.outcome != trial::Outcome::kOk) return;
  const auto workload = std::find_if(workloads.begin(), workloads.end(), [&](const plan::WorkloadInfo& one) {
    return one.name == spec.workload;
  });
  if (workload == workloads.end()) return;
  std::string missing;
  for (const plan::Metric* metric : plan::expected_metrics(*workload, spec.pass))
    if (!result.metrics.contains(metric->name)) missing += (missing.empty() ? "" : ", ") + metric->name;
  if (missing.empty()) return;
  result.outcome = trial::Outcome::kError;
  result.message = "the result lacks " + missing;
}

bool same_group(const trial::TrialSpec& a, const trial::TrialSpec& b) {
  return a.round == b.round && a.pass == b.pass && a.workload == b.workload && a.variant == b.variant;
}

}  // namespace

const plan::KnownFailure* known_failure(const record::Record& record,
                                        const std::vector<plan::Selection>& selections) {
  for (const plan::Selection& selection : selections) {
    if (selection.label != record.spec.allocator) continue;
    for (const plan::KnownFailure& known : selection.allocator.known_failures)
      if (known.workload == record.spec.workload && known.pass == record.spec.pass &&
          known.outcome == record::outcome_name(record.result.outcome))
        return &known;
  }
  return nullptr;
}

End measure(const std::vector<trial::TrialSpec>& plan, const std::vector<plan::WorkloadInfo>& workloads,
            trial::Executor& executor, record::ResultsFile& file, view::Progress& progress,
            std::optional<Clock::time_point> deadline) {
  std::set<std::uint64_t> done;
  for (const record::Record& record : file.results().records) done.insert(record.spec.id);
  std::vector<trial::TrialSpec> open;
  std::copy_if(plan.begin(), plan.end(), std::back_inserter(open),
               [&](const trial::TrialSpec& spec) { return !done.contains(spec.id); });
  End end = End::kComplete;
  for (std::size_t at = 0; at < open.size(); ++at) {
    const bool group_begins = at == 0 || !same_group(open[at - 1], open[at]);
    if (deadline && group_begins && Clock::now() >= *deadline) {
      end = End::kBudgetUsed;
      break;
    }
    progress.starts(open, at);
    trial::TrialResult result = executor.run(open[at]);
    if (result.outcome == trial::Outcome::kInterrupted) {
      end = End::kInterrupted;
      break;
    }
    require_metrics(open[at], workloads, result);
    progress.ended(open[at], result);
    file.add({open[at], std::move(result), ""});
  }
  progress.clear();
  return end;
}

}  // namespace heapmark::cli
