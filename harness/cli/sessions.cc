// See sessions.h.
#include "harness/cli/sessions.h"

#include <algorithm>
#include <cmath>

#include "harness/plan/session_sets.h"
#include "harness/stats/session.h"

namespace heapmark::cli {
namespace {

constexpr const char* kTime = "ns_per_op";
constexpr const char* kCommandTime = "wall_seconds";

std::vector<stats::Slice> slices_of(const trial::TrialResult& result) {
  std::vector<stats::Slice> slices;
  const auto table = result.tables.find("slices");
  if (table == result.tables.end()) return slices;
  const auto& columns = table->second.columns;
  const auto cell = [&](const std::vector<double>& row, const char* name) {
    const auto column = std::find(columns.begin(), columns.end(), name);
    return column == columns.end() ? std::nan("")
                                   : row.at(static_cast<std::size_t>(column - columns.begin()));
  };
  for (const auto& row : table->second.rows) {
    stats::Slice slice{.units = cell(row, "units"),
                       .wall_ns = cell(row, "wall_ns"),
                       .cpu_ns = cell(row, "cpu_ns"),
                       .queue_ns = std::nullopt,
                       .voluntary_switches = cell(row, "voluntary_switches")};
    if (const double queue = cell(row, "queue_ns"); !std::isnan(queue)) slice.queue_ns = queue;
    slices.push_back(slice);
  }
  return slices;
}

bool is_figure(const trial::TrialResult& result) {
  return result.outcome == trial::Outcome::kOk && result.lockstep && result.operations > 0 &&
         result.tables.contains("slices");  // a command has none: its time is that of its turns
}

void set_time(trial::TrialResult& result, double ns_per_op) {
  result.metrics[kTime] = ns_per_op;
  result.metrics["ops_per_second"] = 1e9 / ns_per_op;
}

// The results of one session; the first is what the others are compared with.
void add_figures(std::vector<trial::TrialResult>& results, bool first_is_baseline) {
  std::vector<stats::ProcessTime> times;
  for (trial::TrialResult& result : results) {
    times.push_back(stats::time_of(slices_of(result), result.lockstep ? result.lockstep->threads : 1));
    if (!is_figure(result) || !(times.back().sum_ns > 0)) continue;
    set_time(result, times.back().sum_ns / static_cast<double>(result.operations));
    result.lockstep->foreign_share = times.back().foreign_share();
  }
  for (std::size_t at = 1; first_is_baseline && at < results.size(); ++at) {
    if (!is_figure(results[at]) || !is_figure(results.front())) continue;
    if (const auto ratios = stats::slice_ratios(times[at], times.front())) {
      results[at].lockstep->slice_ratio_median = ratios->median;
      results[at].lockstep->slice_ratio_spread = ratios->spread;
    }
  }
}

std::optional<double> time_of(const trial::TrialResult& result) {
  auto time = result.metrics.find(kTime);
  if (time == result.metrics.end()) time = result.metrics.find(kCommandTime);
  if (result.outcome != trial::Outcome::kOk || time == result.metrics.end() || !(time->second > 0))
    return std::nullopt;
  return time->second;
}

// Keeps the ratio to the baseline that ran beside it, where another run of the baseline is on record.
void refer_to(trial::TrialResult& result, std::optional<double> recorded, std::optional<double> beside) {
  const auto time = time_of(result);
  if (!recorded || !beside || !time) return;
  result.reference_factor = *recorded / *beside;
  if (result.metrics.contains(kCommandTime))
    result.metrics[kCommandTime] = *time * result.reference_factor;
  else
    set_time(result, *time * result.reference_factor);
}

class Group {
 public:
  Group(const SessionInput& input, trial::Executor& executor)
      : input_(input), executor_(executor), recorded_(input.baseline_ns_per_op) {}

  void run_set(const std::vector<trial::TrialSpec>& specs, unsigned number) {
    if (interrupted_) return;
    std::vector<trial::TrialResult> results = executor_.run_session(specs);
    add_figures(results, is_baseline(specs.front()));
    for (trial::TrialResult& result : results)
      if (result.lockstep) result.lockstep->set = number;
    keep(specs, results);
  }

  // One after the other, with a run of the baseline for reference where that was part of a session.
  void run_in_rounds(std::vector<trial::TrialSpec> specs) {
    if (specs.empty() || interrupted_) return;
    if (recorded_ && input_.baseline &&
        std::none_of(specs.begin(), specs.end(), [&](const auto& spec) { return is_baseline(spec); }))
      specs.push_back(*input_.baseline);
    std::vector<trial::TrialResult> results;
    for (const trial::TrialSpec& spec : specs) {
      results.push_back(executor_.run(spec));
      if (results.back().outcome == trial::Outcome::kInterrupted) break;
    }
    specs.resize(results.size());
    keep(specs, results);
  }

  std::vector<Measured> take() { return std::move(measured_); }

 private:
  [[nodiscard]] bool is_baseline(const trial::TrialSpec& spec) const {
    return input_.baseline && spec.id == input_.baseline->id;
  }
  [[nodiscard]] bool is_wanted(const trial::TrialSpec& spec) const {
    return std::any_of(input_.open.begin(), input_.open.end(),
                       [&](const trial::TrialSpec& one) { return one.id == spec.id; }) &&
           std::none_of(measured_.begin(), measured_.end(),
                        [&](const Measured& one) { return one.spec.id == spec.id; });
  }

  void keep(const std::vector<trial::TrialSpec>& specs, std::vector<trial::TrialResult>& results) {
    std::optional<double> beside;
    for (std::size_t at = 0; at < specs.size(); ++at)
      if (is_baseline(specs[at])) beside = time_of(results[at]);
    for (std::size_t at = 0; at < specs.size(); ++at) {
      interrupted_ |= results[at].outcome == trial::Outcome::kInterrupted;
      if (!is_wanted(specs[at])) continue;
      if (!is_baseline(specs[at])) refer_to(results[at], recorded_, beside);
      measured_.push_back({specs[at], std::move(results[at])});
    }
    if (!recorded_) recorded_ = beside;
  }

  const SessionInput& input_;
  trial::Executor& executor_;
  std::optional<double> recorded_;
  std::vector<Measured> measured_;
  bool interrupted_ = false;
};

}  // namespace

std::vector<Measured> measure_sessions(const SessionInput& input, trial::Executor& executor,
                                       const std::function<void(const std::string&)>& say) {
  std::vector<trial::TrialSpec> all = input.open;
  const bool baseline_is_open =
      input.baseline && std::any_of(all.begin(), all.end(), [&](const trial::TrialSpec& spec) {
        return spec.id == input.baseline->id;
      });
  if (input.baseline && !baseline_is_open) all.push_back(*input.baseline);
  const plan::SessionSets sets =
      plan::session_sets(all, input.baseline ? input.baseline->allocator : "", input.available_bytes);
  if (!sets.why.empty()) say(sets.why);
  Group group(input, executor);
  unsigned number = 0;
  for (const auto& set : sets.sets) group.run_set(set, number++);
  group.run_in_rounds(sets.in_rounds);
  return group.take();
}

void expect_memory(const record::Results& results, trial::TrialSpec& spec) {
  constexpr double kMargin = 1.25;
  double most = 0;
  for (const auto& [known, result, host] : results.records) {
    if (known.allocator != spec.allocator || known.workload != spec.workload ||
        known.variant != spec.variant || result.outcome != trial::Outcome::kOk)
      continue;
    const auto peak = result.metrics.find("rss_peak_bytes");
    if (peak != result.metrics.end() && !std::isnan(peak->second))
      most = std::max(most, peak->second + static_cast<double>(result.observer_bytes));
  }
  if (most > 0) spec.memory_estimate_bytes = static_cast<std::uint64_t>(most * kMargin);
}

}  // namespace heapmark::cli
