// See steadiness.h.
#include "harness/stats/steadiness.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace heapmark::stats {
namespace {

constexpr std::size_t kGroups = 20, kFewest = 8;

// A column's values; empty where there is no such column.
std::vector<double> column(const trial::Table& table, const char* name) {
  std::vector<double> values;
  const auto found = std::find(table.columns.begin(), table.columns.end(), name);
  if (found == table.columns.end()) return values;
  const auto at = static_cast<std::size_t>(found - table.columns.begin());
  for (const auto& row : table.rows) values.push_back(row.at(at));
  return values;
}

const trial::Table* table_of(const trial::TrialResult& result, const char* name) {
  const auto found = result.tables.find(name);
  return found == result.tables.end() ? nullptr : &found->second;
}

// Sums over about equal parts of a series, at most kGroups.
std::vector<double> group_sums(std::span<const double> values) {
  const std::size_t groups = std::min(kGroups, values.size());
  std::vector<double> sums(groups, 0);
  for (std::size_t at = 0; at < values.size(); ++at) sums[at * groups / values.size()] += values[at];
  return sums;
}

std::optional<double> quotient_steady_from(std::span<const double> values, std::span<const double> weights,
                                           double tolerance) {
  std::vector<double> sums = group_sums(values);
  const std::vector<double> of = group_sums(weights);
  for (std::size_t at = 0; at < sums.size(); ++at) {
    if (!(of[at] > 0)) return std::nullopt;
    sums[at] /= of[at];
  }
  return steady_from(sums, tolerance);
}

std::vector<double> differences(const std::vector<double>& values) {
  std::vector<double> steps;
  for (std::size_t at = 1; at < values.size(); ++at) steps.push_back(values[at] - values[at - 1]);
  return steps;
}

// The rows of the timed part.
trial::Table work_samples(const trial::TrialResult& result, const trial::Table& samples) {
  trial::Table work{samples.columns, {}, {}, 0};
  const std::vector<double> phases = column(samples, "phase");
  for (std::size_t at = 0; at < phases.size(); ++at) {
    const auto phase = static_cast<std::size_t>(phases[at]);
    if (phase < result.phases.size() && result.phases[phase] == "work") work.rows.push_back(samples.rows[at]);
  }
  return work;
}

}  // namespace

std::optional<double> steady_from(std::span<const double> values, double tolerance) {
  const std::size_t count = values.size();
  if (count < kFewest) return std::nullopt;
  const std::size_t last = count - count / 4;
  double mean = 0;
  for (std::size_t at = last; at < count; ++at) mean += values[at] / static_cast<double>(count - last);
  const double margin = std::abs(mean) * tolerance;
  std::size_t first = count;
  while (first > 0 && std::abs(values[first - 1] - mean) <= margin) --first;
  if (first > last) return std::nullopt;
  return static_cast<double>(first) / static_cast<double>(count);
}

Steadiness steadiness_of(const trial::TrialResult& result) {
  Steadiness steadiness;
  if (const trial::Table* const samples = table_of(result, "samples")) {
    const trial::Table work = work_samples(result, *samples);
    const std::vector<double> held = column(work, "rss_bytes"), ones(held.size(), 1.0);
    steadiness.rss_from = quotient_steady_from(held, ones, kRssTolerance);
    steadiness.time_from = quotient_steady_from(differences(column(work, "time_ns")),
                                                differences(column(work, "operation")), kTimeTolerance);
  }
  if (const trial::Table* const slices = table_of(result, "slices"))
    steadiness.time_from =
        quotient_steady_from(column(*slices, "cpu_ns"), column(*slices, "units"), kTimeTolerance);
  return steadiness;
}

}  // namespace heapmark::stats
