// See statistics.h.
#include "harness/stats/statistics.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

namespace heapmark::stats {
namespace {

using record::AllocatorFound;
using record::Results;

// The trials of one allocator on one workload variant in one pass, by host and round.
struct Group {
  std::map<std::pair<std::string, unsigned>, const trial::TrialResult*> ok;
  std::size_t failed = 0;
  std::string failure;
};

struct Place {
  std::string workload, variant, pass;
  auto operator<=>(const Place&) const = default;  // NOLINT(modernize-use-nullptr): false in clang-tidy 14
};

using Groups = std::map<std::pair<Place, std::string>, Group>;

Groups group(const Results& results, std::vector<Place>& places) {
  Groups groups;
  for (const auto& [spec, result, host] : results.records) {
    const Place place{spec.workload, spec.variant, spec.pass};
    if (std::find(places.begin(), places.end(), place) == places.end()) places.push_back(place);
    Group& group = groups[{place, spec.allocator}];
    if (result.outcome == trial::Outcome::kOk) {
      group.ok[{host, spec.round}] = &result;
    } else if (group.failed++ == 0) {
      group.failure = std::string(record::outcome_name(result.outcome));
      if (!result.message.empty()) group.failure += ": " + result.message;
    }
  }
  return groups;
}

std::optional<double> value_in(const trial::TrialResult& result, const std::string& metric) {
  const auto found = result.metrics.find(metric);
  if (found == result.metrics.end() || std::isnan(found->second)) return std::nullopt;
  return found->second;
}

Better better_of(const plan::Metric& metric) {
  if (metric.better == better_name(Better::kLower)) return Better::kLower;
  if (metric.better == better_name(Better::kHigher)) return Better::kHigher;
  return Better::kNeither;
}

// Only rounds in which both measured: a ratio compares what ran side by side.
std::optional<Ratio> ratio_of(const Group& group, const Group& baseline, const std::string& baseline_label,
                              const plan::Metric& metric, const std::string& pass, double margin) {
  std::vector<double> values, baseline_values;
  for (const auto& [round, result] : group.ok) {
    const auto other = baseline.ok.find(round);
    if (other == baseline.ok.end()) continue;
    const auto value = value_in(*result, metric.name);
    const auto baseline_value = value_in(*other->second, metric.name);
    if (!value || !baseline_value) continue;
    values.push_back(*value);
    baseline_values.push_back(*baseline_value);
  }
  const double typical = summarize(baseline_values, {}).value_or(Summary{}).median;
  const Kind kind = kind_of(metric.unit, pass, typical);
  const auto summary = paired_ratio(values, baseline_values, kind);
  if (!summary) return std::nullopt;
  const Judgement judgement = judge(*summary, better_of(metric), kind, margin);
  return Ratio{baseline_label, *summary, judgement.verdict, judgement.more_rounds};
}

Statistic statistic_of(const Group& group, const plan::Metric& metric, const std::string& pass) {
  Statistic statistic;
  statistic.metric = metric.name;
  statistic.headline = metric.headline;
  statistic.failed = group.failed;
  statistic.failure = group.failure;
  std::vector<double> values;
  for (const auto& [round, result] : group.ok) {
    if (const auto value = value_in(*result, metric.name))
      values.push_back(*value);
    else
      ++statistic.not_measured;
  }
  statistic.summary = summarize(values, kind_of(metric.unit, pass, 0));
  return statistic;
}

bool measured_in(const plan::Metric& metric, const std::string& pass) {
  return std::find(metric.passes.begin(), metric.passes.end(), pass) != metric.passes.end();
}

// Where a metric was measured in several passes, tables show it from the pass whose question it answers.
void choose_shown(std::vector<Statistic>& statistics, const Results& results) {
  std::map<std::tuple<std::string, std::string, std::string>, std::string> best;
  const auto rank = [&](const Statistic& one, const std::string& pass) {
    for (const plan::Metric& metric : results.metrics.at(one.workload))
      if (metric.name == one.metric && is_time(metric.unit)) return plan::pass_info(pass).times_rank;
    return plan::pass_info(pass).others_rank;
  };
  for (const Statistic& one : statistics) {
    const auto [at, is_new] = best.try_emplace({one.workload, one.variant, one.metric}, one.pass);
    if (!is_new && rank(one, one.pass) < rank(one, at->second)) at->second = one.pass;
  }
  for (Statistic& one : statistics) one.shown = best.at({one.workload, one.variant, one.metric}) == one.pass;
}

}  // namespace

std::vector<Statistic> statistics_of(const Results& results, double margin) {
  std::vector<Place> places;
  const Groups groups = group(results, places);
  std::vector<Statistic> statistics;
  for (const Place& place : places) {
    const auto metrics = results.metrics.find(place.workload);
    if (metrics == results.metrics.end()) continue;
    const auto baseline = groups.find({place, results.asked.baseline});
    for (const plan::Metric& metric : metrics->second) {
      const bool expected = measured_in(metric, place.pass);
      for (const AllocatorFound& allocator : results.allocators) {
        const auto found = groups.find({place, allocator.label});
        if (found == groups.end()) continue;
        Statistic statistic = statistic_of(found->second, metric, place.pass);
        // A figure that only some allocators can tell has a row only where it was told.
        if (!expected && !statistic.summary) continue;
        std::tie(statistic.workload, statistic.variant, statistic.pass) =
            std::tie(place.workload, place.variant, place.pass);
        statistic.allocator = allocator.label;
        if (baseline != groups.end() && allocator.label != results.asked.baseline)
          statistic.ratio =
              ratio_of(found->second, baseline->second, results.asked.baseline, metric, place.pass, margin);
        statistics.push_back(std::move(statistic));
      }
    }
  }
  choose_shown(statistics, results);
  return statistics;
}

std::vector<std::string> swept_tunables(const Results& results) {
  std::vector<std::string> tunables;
  std::size_t settings = 0;
  for (const AllocatorFound& one : results.allocators) {
    if (one.name != results.allocators.front().name) return {};
    settings += !one.tunables.empty();
    for (const auto& [name, value] : one.tunables)
      if (std::find(tunables.begin(), tunables.end(), name) == tunables.end()) tunables.push_back(name);
  }
  return settings < 3 ? std::vector<std::string>{} : tunables;
}

namespace {

void add_interval(record::json& out, const Summary& summary) {
  out["median"] = summary.median;
  if (summary.interval) {
    out["low"] = summary.interval->low;
    out["high"] = summary.interval->high;
  }
  out["method"] = method_name(summary.method);
}

}  // namespace

record::json to_json(const Statistic& statistic) {
  record::json out{
      {"workload", statistic.workload},   {"variant", statistic.variant},
      {"pass", statistic.pass},           {"metric", statistic.metric},
      {"allocator", statistic.allocator}, {"count", statistic.summary ? statistic.summary->count : 0},
      {"failed", statistic.failed},       {"shown", statistic.shown}};
  if (!statistic.failure.empty()) out["failure"] = statistic.failure;
  if (statistic.summary) {
    add_interval(out, *statistic.summary);
    out["min"] = statistic.summary->min;
    out["max"] = statistic.summary->max;
  }
  if (statistic.ratio) {
    record::json ratio{{"baseline", statistic.ratio->baseline}};
    add_interval(ratio, statistic.ratio->summary);
    ratio["verdict"] = verdict_name(statistic.ratio->verdict);
    if (statistic.ratio->more_rounds) ratio["more_rounds"] = *statistic.ratio->more_rounds;
    out["ratio"] = std::move(ratio);
  }
  return out;
}

}  // namespace heapmark::stats
