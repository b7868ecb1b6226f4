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

unsigned threads_of(const record::Results& results, const std::string& workload, const std::string& variant) {
  unsigned threads = 1;
  for (const auto& [spec, result, host] : results.records)
    if (spec.pass == "speed" && spec.workload == workload && spec.variant == variant && result.lockstep)
      threads = std::max(threads, result.lockstep->threads);
  return threads;
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
    const trial::TrialSpec& spec = record.spec;
    if (spec.pass != "speed" || std::any_of(all.begin(), all.end(), [&](const Reached& one) {
          return one.workload == spec.workload && one.variant == spec.variant;
        }))
      continue;
    const Times times = times_of(results, spec.workload, spec.variant);
    const auto baseline = times.find(results.asked.baseline);
    if (baseline == times.end()) continue;
    Reached worst{spec.workload, spec.variant, "", -1, threads_of(results, spec.workload, spec.variant)};
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

bool wants_more_rounds(const record::Results& results, const std::string& workload,
                       const std::string& variant, const std::string& allocator, double precision) {
  const auto tried =
      std::count_if(results.records.begin(), results.records.end(), [&](const record::Record& one) {
        return one.spec.pass == "speed" && one.spec.workload == workload && one.spec.variant == variant &&
               one.spec.allocator == allocator;
      });
  if (static_cast<std::size_t>(tried) < kLeastRounds) return true;
  const Times times = times_of(results, workload, variant);
  const auto baseline = times.find(results.asked.baseline), own = times.find(allocator);
  if (baseline == times.end() || own == times.end()) return false;
  const auto width = width_of(own->second, baseline->second);
  if (!width) return false;
  return width->rounds < kLeastRounds ||
         width->half_width > wanted_half_width(precision, threads_of(results, workload, variant));
}

}  // namespace heapmark::stats
