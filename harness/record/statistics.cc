// See statistics.h.
#include "harness/record/statistics.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

namespace heapmark::record {
namespace {

// The trials of one allocator on one workload variant in one pass, by host and round.
struct Group {
  std::map<std::pair<std::string, unsigned>, const trial::TrialResult*> ok;
  std::size_t failed = 0;
  std::string failure;
};

struct Place {
  std::string workload, variant, pass;
  auto operator<=>(const Place&) const = default;
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
      group.failure = std::string(outcome_name(result.outcome));
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

stats::Better better_of(const plan::Metric& metric) {
  if (metric.better == "lower") return stats::Better::kLower;
  if (metric.better == "higher") return stats::Better::kHigher;
  return stats::Better::kNeither;
}

// Only rounds in which both measured: a ratio compares what ran side by side.
std::optional<Ratio> ratio_of(const Group& group, const Group& baseline, const std::string& baseline_label,
                              const plan::Metric& metric) {
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
  const auto summary = stats::paired_ratio(values, baseline_values);
  if (!summary) return std::nullopt;
  return Ratio{baseline_label, *summary, stats::judge(*summary, better_of(metric))};
}

Statistic statistic_of(const Group& group, const plan::Metric& metric) {
  Statistic statistic;
  statistic.metric = metric.name;
  statistic.failed = group.failed;
  statistic.failure = group.failure;
  std::vector<double> values;
  for (const auto& [round, result] : group.ok) {
    if (const auto value = value_in(*result, metric.name))
      values.push_back(*value);
    else
      ++statistic.not_measured;
  }
  statistic.summary = stats::summarize(values);
  return statistic;
}

bool measured_in(const plan::Metric& metric, const std::string& pass) {
  return std::find(metric.passes.begin(), metric.passes.end(), pass) != metric.passes.end();
}

}  // namespace

std::vector<Statistic> statistics_of(const Results& results) {
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
        Statistic statistic = statistic_of(found->second, metric);
        // A figure that only some allocators can tell has a row only where it was told.
        if (!expected && !statistic.summary) continue;
        std::tie(statistic.workload, statistic.variant, statistic.pass) =
            std::tie(place.workload, place.variant, place.pass);
        statistic.allocator = allocator.label;
        if (baseline != groups.end() && allocator.label != results.asked.baseline)
          statistic.ratio = ratio_of(found->second, baseline->second, results.asked.baseline, metric);
        statistics.push_back(std::move(statistic));
      }
    }
  }
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

std::string_view verdict_name(stats::Verdict verdict) {
  switch (verdict) {
    case stats::Verdict::kBetter:
      return "better";
    case stats::Verdict::kWorse:
      return "worse";
    case stats::Verdict::kNoDifference:
      return "no difference";
    case stats::Verdict::kDiffers:
      return "differs";
    case stats::Verdict::kUndecided:
      return "undecided";
  }
  return "undecided";
}

namespace {

void add_interval(json& out, const stats::Summary& summary) {
  out["median"] = summary.median;
  if (summary.interval) {
    out["low"] = summary.interval->low;
    out["high"] = summary.interval->high;
  }
  out["method"] = stats::method_name(summary.method);
}

}  // namespace

json to_json(const Statistic& statistic) {
  json out{{"workload", statistic.workload},   {"variant", statistic.variant},
           {"pass", statistic.pass},           {"metric", statistic.metric},
           {"allocator", statistic.allocator}, {"count", statistic.summary ? statistic.summary->count : 0},
           {"failed", statistic.failed}};
  if (!statistic.failure.empty()) out["failure"] = statistic.failure;
  if (statistic.summary) {
    add_interval(out, *statistic.summary);
    out["min"] = statistic.summary->min;
    out["max"] = statistic.summary->max;
  }
  if (statistic.ratio) {
    json ratio{{"baseline", statistic.ratio->baseline}};
    add_interval(ratio, statistic.ratio->summary);
    ratio["verdict"] = verdict_name(statistic.ratio->verdict);
    out["ratio"] = std::move(ratio);
  }
  return out;
}

}  // namespace heapmark::record
