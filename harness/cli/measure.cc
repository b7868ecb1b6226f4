// See measure.h.
#include "harness/cli/measure.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "harness/cli/pressure.h"
#include "harness/cli/same_output.h"
#include "harness/cli/sessions.h"
#include "harness/stats/precision.h"
#include "harness/stats/steadiness.h"

namespace heapmark::cli {
namespace {

// What is computed from the tables of a trial, where its workload declares it.
void add_steadiness(const std::vector<const plan::Metric*>& expected, trial::TrialResult& result) {
  const stats::Steadiness steadiness = stats::steadiness_of(result);
  for (const plan::Metric* metric : expected) {
    if (metric->name == stats::kRssSteadyFrom)
      result.metrics[metric->name] = steadiness.rss_from.value_or(std::nan(""));
    if (metric->name == stats::kTimeSteadyFrom)
      result.metrics[metric->name] = steadiness.time_from.value_or(std::nan(""));
  }
}

void complete_metrics(const trial::TrialSpec& spec, const std::vector<plan::WorkloadInfo>& workloads,
                      trial::TrialResult& result) {
  if (result.outcome != trial::Outcome::kOk) return;
  const auto workload = std::find_if(workloads.begin(), workloads.end(), [&](const plan::WorkloadInfo& one) {
    return one.name == spec.workload;
  });
  if (workload == workloads.end()) return;
  const auto expected = plan::expected_metrics(*workload, spec.pass);
  add_steadiness(expected, result);
  std::string missing;
  for (const plan::Metric* metric : expected)
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

namespace {

class Measuring {
 public:
  Measuring(const std::vector<trial::TrialSpec>& plan, const std::vector<plan::WorkloadInfo>& workloads,
            trial::Executor& executor, record::ResultsFile& file, view::Progress& progress,
            const std::function<std::uint64_t()>& available_bytes)
      : plan_(plan),
        workloads_(workloads),
        executor_(executor),
        file_(file),
        progress_(progress),
        available_bytes_(available_bytes) {
    std::set<std::uint64_t> done;
    for (const record::Record& record : file.results().records) done.insert(record.spec.id);
    std::copy_if(plan.begin(), plan.end(), std::back_inserter(open_),
                 [&](const trial::TrialSpec& spec) { return !done.contains(spec.id); });
  }

  End run(std::optional<Clock::time_point> deadline) {
    for (std::size_t at = 0; at < open_.size();) {
      if (deadline && Clock::now() >= *deadline) return End::kBudgetUsed;
      bring_forward_what_is_wanted_most(at);
      const std::size_t end = end_of_group(at);
      const Places places = wanted(at, end);
      const bool in_lockstep =
          std::any_of(places.begin(), places.end(), [&](std::size_t place) { return open_[place].lockstep; });
      if (!(in_lockstep ? run_sessions(places) : run_one_by_one(places))) return End::kInterrupted;
      at = end;
    }
    return End::kComplete;
  }

 private:
  using Places = std::vector<std::size_t>;  // in open_

  [[nodiscard]] std::size_t end_of_group(std::size_t at) const {
    std::size_t end = at + 1;
    while (end < open_.size() && same_group(open_[at], open_[end])) ++end;
    return end;
  }

  // Once the first rounds are done, the next one is of the workload variant that is furthest from the
  // precision asked for; later rounds of other passes come once none is further from it than that. So a time
  // that does not suffice for all leaves them equally far from it.
  void bring_forward_what_is_wanted_most(std::size_t at) {
    const record::Results& results = file_.results();
    if (!(results.asked.request.precision > 0)) return;
    std::map<std::pair<std::string, std::string>, double> known;
    std::size_t next = at;
    double most = -1;
    for (std::size_t group = at; group < open_.size() && std::isfinite(most); group = end_of_group(group)) {
      const trial::TrialSpec& spec = open_[group];
      double wanted = spec.round - results.asked.request.first_round < stats::kLeastRounds
                          ? std::numeric_limits<double>::infinity()
                          : 1;
      if (spec.pass == "speed") {
        const auto [place, is_new] = known.try_emplace({spec.workload, spec.variant});
        if (is_new)
          place->second = stats::precision_shortfall(results, spec.workload, spec.variant,
                                                     results.asked.request.precision);
        wanted = place->second;
      }
      if (wanted > most) {
        most = wanted;
        next = group;
      }
    }
    const auto begin = open_.begin();
    const auto place = [&](std::size_t number) { return begin + static_cast<std::ptrdiff_t>(number); };
    std::rotate(place(at), place(next), place(end_of_group(next)));
  }

  // Of the trials of a group, those that are wanted for the precision asked for, and the baseline's beside
  // them. Where none is asked for, all.
  [[nodiscard]] Places wanted(std::size_t at, std::size_t end) const {
    const record::Results& results = file_.results();
    const double precision = results.asked.request.precision;
    Places places;
    std::size_t left_out = 0;
    for (; at < end; ++at) {
      const trial::TrialSpec& spec = open_[at];
      if (precision > 0 && spec.pass == "speed" && spec.allocator != results.asked.baseline &&
          !stats::wants_more_rounds(results, spec.workload, spec.variant, spec.allocator, precision))
        ++left_out;
      else
        places.push_back(at);
    }
    const bool only_baseline =
        places.size() == 1 && open_[places[0]].allocator == results.asked.baseline && left_out > 0;
    return only_baseline ? Places() : places;
  }

  bool run_one_by_one(const Places& places) {
    for (const std::size_t at : places) {
      progress_.starts(open_, at);
      open_[at].limit_bytes =
          limit_bytes_of(open_[at], file_.results().asked.baseline, file_.results().records);
      trial::TrialResult result = executor_.run(open_[at]);
      if (result.outcome == trial::Outcome::kInterrupted) return false;
      keep(open_[at], std::move(result));
    }
    return true;
  }

  [[nodiscard]] trial::TrialSpec with_expected_memory(trial::TrialSpec spec) const {
    expect_memory(file_.results(), spec);
    return spec;
  }

  bool run_sessions(const Places& places) {
    const std::size_t at = places.front();
    progress_.starts(open_, at);
    SessionInput input;
    for (const std::size_t place : places) input.open.push_back(with_expected_memory(open_[place]));
    input.available_bytes = available_bytes_ ? available_bytes_() : std::numeric_limits<std::uint64_t>::max();
    const auto baseline = std::find_if(plan_.begin(), plan_.end(), [&](const trial::TrialSpec& spec) {
      return same_group(spec, open_[at]) && spec.allocator == file_.results().asked.baseline;
    });
    if (baseline != plan_.end()) {
      input.baseline = with_expected_memory(*baseline);
      for (const record::Record& record : file_.results().records) {
        auto time = record.result.metrics.find("ns_per_op");
        if (time == record.result.metrics.end()) time = record.result.metrics.find("wall_seconds");
        if (record.spec.id == baseline->id && time != record.result.metrics.end() && time->second > 0)
          input.baseline_ns_per_op = time->second;
      }
    }
    auto measured = measure_sessions(input, executor_, [&](const std::string& what) {
      const std::string sentence = open_[at].workload + "/" + open_[at].variant + ": " + what;
      if (said_.insert(sentence).second) progress_.note(sentence);
    });
    // In the order of the plan, whoever shared a set with whom.
    std::sort(measured.begin(), measured.end(),
              [](const Measured& one, const Measured& other) { return one.spec.id < other.spec.id; });
    bool interrupted = measured.size() < input.open.size();
    for (auto& [spec, result] : measured) {
      if (result.outcome == trial::Outcome::kInterrupted)
        interrupted = true;
      else
        keep(spec, std::move(result));
    }
    return !interrupted;
  }

  void keep(const trial::TrialSpec& spec, trial::TrialResult result) {
    complete_metrics(spec, workloads_, result);
    require_same_output(file_.results(), spec, result);
    progress_.ended(spec, result);
    file_.add({spec, std::move(result), ""});
  }

  const std::vector<trial::TrialSpec>& plan_;
  const std::vector<plan::WorkloadInfo>& workloads_;
  trial::Executor& executor_;
  record::ResultsFile& file_;
  view::Progress& progress_;
  const std::function<std::uint64_t()>& available_bytes_;
  std::vector<trial::TrialSpec> open_;
  std::set<std::string> said_;
};

}  // namespace

End measure(const std::vector<trial::TrialSpec>& plan, const std::vector<plan::WorkloadInfo>& workloads,
            trial::Executor& executor, record::ResultsFile& file, view::Progress& progress,
            std::optional<Clock::time_point> deadline,
            const std::function<std::uint64_t()>& available_bytes) {
  if (deadline) progress.set_deadline(*deadline);
  const End end = Measuring(plan, workloads, executor, file, progress, available_bytes).run(deadline);
  progress.clear();
  return end;
}

}  // namespace heapmark::cli
