// See analysis.h.
#include "harness/stats/analysis.h"

#include <algorithm>
#include <charconv>

#include "harness/stats/steadiness.h"

namespace heapmark::stats {
namespace {

using record::AllocatorFound;
using record::Results;

constexpr double kNoticeableLoad = 0.25;  // of the CPUs

Ranking ranking_of(const Results& results, const std::string& aspect, double margin) {
  Ranking ranking{aspect, {}, 0};
  for (const AllocatorFound& allocator : results.allocators) {
    if (!allocator.not_for_use.empty()) continue;
    const Overall overall = overall_between(results, aspect, allocator.label, results.asked.baseline);
    if (overall.complete && overall.summary)
      ranking.best_first.push_back({allocator.label, *overall.summary});
  }
  std::stable_sort(ranking.best_first.begin(), ranking.best_first.end(),
                   [](const Rank& a, const Rank& b) { return a.ratio.median < b.ratio.median; });
  if (ranking.best_first.empty()) return ranking;
  const std::string best = ranking.best_first.front().allocator;
  // Leaders stand together at the top, even where a noisy one has a clear one before it.
  const auto leads = [&](const Rank& rank) {
    if (rank.allocator == best) return true;
    const Overall to_best = overall_between(results, aspect, rank.allocator, best);
    return !to_best.summary ||
           judge(*to_best.summary, Better::kLower, kind_of_objective(aspect), margin).verdict !=
               Verdict::kWorse;
  };
  const auto rest = std::stable_partition(ranking.best_first.begin(), ranking.best_first.end(), leads);
  ranking.leaders = static_cast<std::size_t>(rest - ranking.best_first.begin());
  return ranking;
}

bool has_better(const Results& results, const Statistic& one) {
  for (const plan::Metric& metric : results.metrics.at(one.workload))
    if (metric.name == one.metric) return metric.better != better_name(Better::kNeither);
  return false;
}

Tally tally_of(const Results& results, const std::vector<Statistic>& statistics) {
  Tally tally;
  const plan::Rounds& rounds = results.asked.request.rounds;
  const unsigned last = *std::max_element(rounds.begin(), rounds.end());
  std::vector<std::size_t> more;
  for (const Statistic& one : statistics) {
    if (!one.shown || !one.headline || !one.ratio || !has_better(results, one)) continue;
    ++tally.comparisons;
    tally.equal += one.ratio->verdict == Verdict::kEqual;
    if (one.ratio->verdict != Verdict::kCannotTell) continue;
    ++tally.cannot_tell;
    if (one.ratio->more_rounds && rounds.of(one.pass) == last) more.push_back(*one.ratio->more_rounds);
  }
  std::sort(more.begin(), more.end());
  if (more.empty()) return tally;
  tally.more_rounds = more[(more.size() - 1) / 2];
  tally.decided_by_more =
      static_cast<std::size_t>(std::upper_bound(more.begin(), more.end(), tally.more_rounds) - more.begin());
  return tally;
}

Drifting drifting_of(const std::vector<Statistic>& statistics) {
  Drifting drifting;
  std::size_t time_runs = 0;
  for (const Statistic& one : statistics) {
    const bool memory = one.metric == kRssSteadyFrom;
    if (!one.shown || (!memory && one.metric != kTimeSteadyFrom)) continue;
    const bool is_drifting = !one.summary && one.not_measured > 0;
    ++(memory ? drifting.runs : time_runs);
    (memory ? drifting.memory : drifting.time) += is_drifting;
  }
  drifting.runs = std::max(drifting.runs, time_runs);
  return drifting;
}

// Of a session, as its process counted them. Else the parameter of that name, in the passes that take times;
// there threads/come-and-go, whose threads come one after the other, is counted too high.
unsigned threads_at_once(const record::Record& record) {
  if (record.result.lockstep) return record.result.lockstep->threads;
  unsigned threads = 0;
  if (record.spec.pass != "speed" && record.spec.pass != "latency") return threads;
  for (const auto& [name, value] : record.spec.parameters)
    if (name == "threads") std::from_chars(value.data(), value.data() + value.size(), threads);
  return threads;
}

Conditions conditions_of(const Results& results) {
  Conditions conditions;
  conditions.quick = results.asked.request.quick;
  conditions.check = results.asked.request.check;
  const record::json& context = results.context;
  if (!context.is_object()) return conditions;
  if (context.contains("num_cpus") && context.at("num_cpus").is_number())
    conditions.cpus = context.at("num_cpus").get<unsigned>();
  if (conditions.cpus == 0) return conditions;
  if (context.contains("load_avg") && context.at("load_avg").is_array() && !context.at("load_avg").empty() &&
      context.at("load_avg").at(0).is_number())
    if (const double load = context.at("load_avg").at(0).get<double>();
        load > kNoticeableLoad * conditions.cpus)
      conditions.load = load;
  unsigned most = 0;
  for (const record::Record& one : results.records) most = std::max(most, threads_at_once(one));
  if (most > conditions.cpus) conditions.most_threads = most;
  return conditions;
}

}  // namespace

Analysis analyse(const Results& results) {
  Analysis analysis;
  analysis.margin = results.asked.margin;
  analysis.statistics = statistics_of(results, analysis.margin);
  analysis.overalls = overall_of(results);
  for (const char* const aspect : {"time", "rss", "left", "settled"})
    if (Ranking ranking = ranking_of(results, aspect, analysis.margin); !ranking.best_first.empty())
      analysis.rankings.push_back(std::move(ranking));
  analysis.tally = tally_of(results, analysis.statistics);
  analysis.drifting = drifting_of(analysis.statistics);
  analysis.conditions = conditions_of(results);
  return analysis;
}

std::vector<record::json> statistics_json(const Analysis& analysis) {
  std::vector<record::json> rows;
  for (const Statistic& statistic : analysis.statistics) rows.push_back(to_json(statistic));
  return rows;
}

}  // namespace heapmark::stats
