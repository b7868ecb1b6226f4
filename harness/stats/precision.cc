// See precision.h.
#include "harness/stats/precision.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>

#include "harness/stats/summary.h"

namespace heapmark::stats {
namespace {

constexpr std::size_t kLeastRounds = 3;
constexpr double kNoInterval = std::numeric_limits<double>::infinity();

using Round = std::pair<std::string, unsigned>;                // host and number
using Times = std::map<std::string, std::map<Round, double>>;  // by allocator

Times times_of(const record::Results& results, const std::string& workload, const std::string& variant) {
  Times times;
  for (const auto& [spec, result, host] : results.records) {
    if (spec.pass != "speed" || spec.workload != workload || spec.variant != variant) continue;
    auto time = result.metrics.find("ns_per_op");
    if (time == result.metrics.end()) time = result.metrics.find("wall_seconds");  // of a command
    if (time == result.metrics.end()) time = result.metrics.find("load_seconds");  // of a server's load
    if (result.outcome == trial::Outcome::kOk && time != result.metrics.end() && time->second > 0)
      times[spec.allocator][{host, spec.round}] = time->second;
  }
  return times;
}

struct Width {
  double half_width;
  std::size_t rounds;
};

std::optional<Width> width_of(const std::map<Round, double>& times, const std::map<Round, double>& baseline) {
  std::vector<double> values, base;
  for (const auto& [round, time] : times)
    if (const auto other = baseline.find(round); other != baseline.end()) {
      values.push_back(time);
      base.push_back(other->second);
    }
  const auto ratio = paired_ratio(values, base, kTimeKind);
  if (!ratio) return std::nullopt;
  if (!ratio->interval) return Width{kNoInterval, values.size()};
  return Width{(ratio->interval->high - ratio->interval->low) / 2 / ratio->median, values.size()};
}

}  // namespace

std::vector<Reached> time_precision(const record::Results& results) {
  std::vector<Reached> all;
  for (const record::Record& record : results.records) {
    const auto& [spec, result, host] = record;
    if (spec.pass != "speed" || std::any_of(all.begin(), all.end(), [&](const Reached& one) {
          return one.workload == spec.workload && one.variant == spec.variant;
        }))
      continue;
    const Times times = times_of(results, spec.workload, spec.variant);
    const auto baseline = times.find(results.asked.baseline);
    if (baseline == times.end()) continue;
    Reached worst{spec.workload, spec.variant, "", -1};
    for (const auto& [allocator, rounds] : times) {
      if (allocator == results.asked.baseline) continue;
      const auto width = width_of(rounds, baseline->second);
      if (width && width->half_width > worst.half_width) {
        worst.half_width = width->half_width;
        worst.allocator = allocator;
      }
    }
    if (!worst.allocator.empty()) all.push_back(worst);
  }
  return all;
}

bool is_precise(const record::Results& results, const std::string& workload, const std::string& variant,
                double precision) {
  const Times times = times_of(results, workload, variant);
  const auto baseline = times.find(results.asked.baseline);
  if (baseline == times.end()) return false;
  bool any = false;
  for (const auto& [allocator, rounds] : times) {
    if (allocator == results.asked.baseline) continue;
    const auto width = width_of(rounds, baseline->second);
    if (!width || width->rounds < kLeastRounds || width->half_width > precision) return false;
    any = true;
  }
  return any;
}

}  // namespace heapmark::stats
