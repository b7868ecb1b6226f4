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

constexpr std::size_t kMostFailures = 3;  // in a row
constexpr double kNoInterval = std::numeric_limits<double>::infinity();

using Round = std::pair<std::string, unsigned>;  // host and number

// The trials of one workload variant in the speed pass.
struct Measured {
  struct Tried {
    std::size_t trials = 0;           // however they ended
    std::size_t failures_in_row = 0;  // of the last trials
    std::map<Round, double> times;
  };
  std::map<std::string, Tried> by_allocator;
  unsigned threads = 1;
};

Measured measured_of(const record::Results& results, const std::string& workload,
                     const std::string& variant) {
  Measured measured;
  for (const auto& [spec, result, host] : results.records) {
    if (spec.pass != "speed" || spec.workload != workload || spec.variant != variant) continue;
    Measured::Tried& tried = measured.by_allocator[spec.allocator];
    ++tried.trials;
    if (result.lockstep) measured.threads = std::max(measured.threads, result.lockstep->threads);
    auto time = result.metrics.find("ns_per_op");
    if (time == result.metrics.end()) time = result.metrics.find("wall_seconds");  // of a command
    if (time == result.metrics.end()) time = result.metrics.find("load_seconds");  // of a server's load
    const bool is_good =
        result.outcome == trial::Outcome::kOk && time != result.metrics.end() && time->second > 0;
    if (is_good) tried.times[{host, spec.round}] = time->second;
    tried.failures_in_row = is_good ? 0 : tried.failures_in_row + 1;
  }
  return measured;
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
  const auto ratio = paired_ratio(values, base, kSpeedKind);
  if (!ratio) return std::nullopt;
  if (!ratio->interval) return Width{kNoInterval, values.size()};
  return Width{(ratio->interval->high - ratio->interval->low) / 2 / ratio->median, values.size()};
}

// By which factor an allocator's interval is wider than wanted; 0 where no further round is: its last trials
// failed or the baseline's did, or no ratio can be formed.
double excess(const Measured::Tried& own, const Measured::Tried& baseline, double wanted) {
  if (std::max(own.failures_in_row, baseline.failures_in_row) >= kMostFailures) return 0;
  if (own.trials < kLeastRounds) return kNoInterval;
  const auto width = width_of(own.times, baseline.times);
  if (!width) return 0;
  return width->rounds < kLeastRounds ? kNoInterval : width->half_width / wanted;
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
    const Measured measured = measured_of(results, spec.workload, spec.variant);
    const auto baseline = measured.by_allocator.find(results.asked.baseline);
    if (baseline == measured.by_allocator.end()) continue;
    Reached worst{spec.workload, spec.variant, "", -1, measured.threads};
    for (const auto& [allocator, tried] : measured.by_allocator) {
      if (allocator == results.asked.baseline) continue;
      const auto width = width_of(tried.times, baseline->second.times);
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
  const Measured measured = measured_of(results, workload, variant);
  const auto own = measured.by_allocator.find(allocator);
  if (own == measured.by_allocator.end()) return true;
  const auto baseline = measured.by_allocator.find(results.asked.baseline);
  static const Measured::Tried kNone;
  return excess(own->second, baseline == measured.by_allocator.end() ? kNone : baseline->second,
                wanted_half_width(precision, measured.threads)) > 1;
}

double precision_shortfall(const record::Results& results, const std::string& workload,
                           const std::string& variant, double precision) {
  const Measured measured = measured_of(results, workload, variant);
  const auto baseline = measured.by_allocator.find(results.asked.baseline);
  if (baseline == measured.by_allocator.end()) return kNoInterval;
  double most = baseline->second.trials < kLeastRounds ? kNoInterval : 0;
  for (const auto& [allocator, tried] : measured.by_allocator)
    if (allocator != results.asked.baseline)
      most = std::max(most, excess(tried, baseline->second, wanted_half_width(precision, measured.threads)));
  return most;
}

}  // namespace heapmark::stats
