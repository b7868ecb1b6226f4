// See objectives.h.
#include "harness/stats/objectives.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace heapmark::stats {
namespace {

using record::AllocatorFound;
using record::json;
using record::Results;

// The metric that stands for an objective on a workload: the first of these that the workload has.
struct Source {
  std::string_view metric, pass;
};
struct Objective {
  std::string_view name;
  std::vector<Source> sources;
  double add;  // to both values before their ratio is formed
  std::string_view help;
};

constexpr double kPageBytes = 4096;

const std::vector<Objective>& sources() {
  static const std::vector<Objective> all{
      {"time",
       {{"ns_per_op", "speed"}, {"wall_seconds", "speed"}, {"load_seconds", "speed"}},
       0,
       "wall time per operation, of a whole command, or of a server's load"},
      {"rss",
       {{"rss_over_live_mean", "memory"}, {"rss_peak_bytes", "memory"}},
       0,
       "resident over live bytes on average, or peak RSS where a workload has no such figure"},
      {"faults", {{"minor_faults_per_mib", "speed"}, {"minor_faults", "speed"}}, 0, "minor faults"},
      {"failed",
       {{"failed_though_fitting", "limit"}},
       1,
       "large requests refused though they fitted (limit pass)"},
      {"p999", {{"p999_ns", "latency"}}, 0, "the 99.9th percentile of the time of a call (latency pass)"},
      {"pressure_time",
       {{"ns_per_op", "pressure"}},
       0,
       "wall time per operation under a memory limit (pressure pass)"},
  };
  return all;
}

// Not for tuning: what thresholds do about it is seen in the others.
const Objective kLeft{"left",
                      {{"rss_after_idle_bytes", "memory"}, {"rss_after_free_bytes", "memory"}},
                      kPageBytes,
                      "resident once everything is freed"};

// Of a server.
const Objective kSettled{
    "settled", {{"rss_settled_bytes", "memory"}}, kPageBytes, "resident some time after the load"};

const Objective* find_objective(std::string_view name) {
  if (name == kSettled.name) return &kSettled;
  if (name == kLeft.name) return &kLeft;
  for (const Objective& one : sources())
    if (one.name == name) return &one;
  return nullptr;
}

struct Place {
  std::string workload, variant;
  auto operator<=>(const Place&) const = default;  // NOLINT(modernize-use-nullptr): false in clang-tidy 14
};
using Round = std::pair<std::string, unsigned>;  // host and number
using Ratios = std::map<Place, std::map<Round, double>>;

const Source* source_of(const Results& results, const Objective& objective, const std::string& workload) {
  const auto metrics = results.metrics.find(workload);
  if (metrics == results.metrics.end()) return nullptr;
  for (const Source& source : objective.sources)
    for (const plan::Metric& metric : metrics->second)
      if (metric.name == source.metric &&
          std::find(metric.passes.begin(), metric.passes.end(), source.pass) != metric.passes.end())
        return &source;
  return nullptr;
}

std::map<Place, std::map<Round, double>> values_of(const Results& results, const Objective& objective,
                                                   const std::string& label) {
  std::map<Place, std::map<Round, double>> values;
  for (const auto& [spec, result, host] : results.records) {
    if (spec.allocator != label || result.outcome != trial::Outcome::kOk) continue;
    const Source* const source = source_of(results, objective, spec.workload);
    if (source == nullptr || spec.pass != source->pass) continue;
    if (source->pass == "pressure" && spec.limit_share == 0) continue;  // nothing was short
    const auto value = result.metrics.find(std::string(source->metric));
    if (value == result.metrics.end() || std::isnan(value->second)) continue;
    values[{spec.workload, spec.variant}][{host, spec.round}] = value->second + objective.add;
  }
  return values;
}

std::optional<Summary> summary_of(const std::vector<double>& ratios, const Objective& objective) {
  return paired_ratio(ratios, std::vector<double>(ratios.size(), 1.0), kind_of_objective(objective.name));
}

Overall overall_of(const Results& results, const Objective& objective, const std::string& label,
                   const std::map<Place, std::map<Round, double>>& baseline) {
  const auto values = values_of(results, objective, label);
  Overall overall{label, std::string(objective.name), 0, false, std::nullopt, {}};
  std::map<Round, std::pair<double, std::size_t>> log_sums;  // and the number of places
  std::vector<std::vector<double>> of_places;
  for (const auto& [place, base_rounds] : baseline) {
    const auto rounds = values.find(place);
    if (rounds == values.end()) continue;
    std::vector<double> ratios;
    for (const auto& [round, value] : rounds->second) {
      const auto base = base_rounds.find(round);
      if (base == base_rounds.end() || !(base->second > 0) || !(value > 0)) continue;
      ratios.push_back(value / base->second);
      auto& [sum, count] = log_sums[round];
      sum += std::log(ratios.back());
      ++count;
    }
    if (ratios.empty()) continue;
    of_places.push_back(ratios);
    overall.places.push_back({place.workload, place.variant,
                              std::string(source_of(results, objective, place.workload)->metric),
                              summary_of(ratios, objective)});
  }
  const std::size_t places = of_places.size();
  std::vector<double> means;
  for (const auto& [round, sum] : log_sums)
    if (sum.second == places) means.push_back(std::exp(sum.first / static_cast<double>(places)));
  overall.rounds = means.size();
  // With --precision places have rounds of their own number, and none is to be thrown away. Else a round in
  // which something failed is left out.
  if (results.asked.request.precision > 0 && means.size() < log_sums.size())
    overall.summary = mean_over_places(of_places, kind_of_objective(objective.name));
  else
    overall.summary = summary_of(means, objective);
  overall.complete = places > 0 && places == baseline.size();
  return overall;
}

json summary_json(const std::optional<Summary>& summary) {
  json out = json::object();
  if (!summary) return out;
  out["median"] = summary->median;
  out["min"] = summary->min;
  out["max"] = summary->max;
  if (summary->interval) {
    out["low"] = summary->interval->low;
    out["high"] = summary->interval->high;
  }
  return out;
}

}  // namespace

const std::vector<ObjectiveInfo>& objectives() {
  static const std::vector<ObjectiveInfo> all = [] {
    std::vector<ObjectiveInfo> infos;
    for (const Objective& one : sources()) infos.push_back({std::string(one.name), std::string(one.help)});
    return infos;
  }();
  return all;
}

Kind kind_of_objective(std::string_view objective) {
  if (objective == "time") return kSpeedKind;
  return objective == "p999" || objective == "pressure_time" ? kTimeKind : kSteadyKind;
}

Overall overall_between(const Results& results, const std::string& objective, const std::string& label,
                        const std::string& baseline) {
  const Objective* const found = find_objective(objective);
  if (found == nullptr) return {};
  return overall_of(results, *found, label, values_of(results, *found, baseline));
}

std::vector<Overall> overall_of(const Results& results) {
  std::vector<Overall> all;
  std::vector<std::pair<const Objective*, std::map<Place, std::map<Round, double>>>> measured;
  for (const Objective& objective : sources())
    if (auto baseline = values_of(results, objective, results.asked.baseline); !baseline.empty())
      measured.emplace_back(&objective, std::move(baseline));
  for (const AllocatorFound& allocator : results.allocators) {
    if (allocator.label == results.asked.baseline) continue;
    for (const auto& [objective, baseline] : measured)
      all.push_back(overall_of(results, *objective, allocator.label, baseline));
  }
  return all;
}

json objectives_json(const Results& results, const std::vector<Overall>& overalls) {
  json out = json::object();
  for (const AllocatorFound& allocator : results.allocators) {
    json& one = out[allocator.label];
    one = {{"tunables", json::object()},
           {"environment", json::object()},
           {"failed_trials", 0},
           {"failure", ""},
           {"objectives", json::object()}};
    for (const auto& [name, value] : allocator.tunables) one["tunables"][name] = value;
  }
  for (const auto& [spec, result, host] : results.records) {
    json& one = out[spec.allocator];
    for (const auto& [name, value] : spec.environment) one["environment"][name] = value;
    if (result.outcome == trial::Outcome::kOk) continue;
    one["failed_trials"] = one.value("failed_trials", 0) + 1;
    if (one.value("failure", "").empty())
      one["failure"] = spec.workload + "/" + spec.variant + ": " +
                       std::string(record::outcome_name(result.outcome)) +
                       (result.message.empty() ? "" : ": " + result.message);
  }
  for (const Overall& overall : overalls) {
    json& objective = out[overall.allocator]["objectives"][overall.objective];
    objective = summary_json(overall.summary);
    objective["rounds"] = overall.rounds;
    objective["places"] = json::array();
    for (const PlaceRatio& place : overall.places) {
      json row = summary_json(place.ratio);
      row["workload"] = place.workload + "/" + place.variant;
      row["metric"] = place.metric;
      objective["places"].push_back(std::move(row));
    }
  }
  return out;
}

}  // namespace heapmark::stats
