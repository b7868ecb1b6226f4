#include "harness/stats/summary.h"

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <boost/math/statistics/univariate_statistics.hpp>
#include <cmath>
#include <random>
#include <vector>

namespace heapmark::stats {
namespace {

constexpr std::size_t kFewestForBootstrap = 6;
constexpr int kResamples = 4000;
constexpr double kTail = 0.025;

double median_of(std::vector<double> values) {
  return boost::math::statistics::median(values);
}

// `level` in [0, 1], linear between the two nearest of the sorted values.
double quantile_of_sorted(const std::vector<double>& sorted, double level) {
  const double position = level * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  const double share = position - static_cast<double>(below);
  return sorted[below] + share * (sorted[above] - sorted[below]);
}

Interval bootstrap_of_median(std::span<const double> values) {
  const auto n = static_cast<double>(values.size());
  const double t = boost::math::quantile(boost::math::students_t(n - 1), 1 - kTail);
  const double tail = boost::math::cdf(boost::math::normal(), -t * std::sqrt(n / (n - 1)));

  std::mt19937_64 random(20150817);
  std::uniform_int_distribution<std::size_t> pick(0, values.size() - 1);
  std::vector<double> medians(kResamples);
  std::vector<double> draw(values.size());
  for (double& median : medians) {
    for (double& value : draw) value = values[pick(random)];
    median = median_of(draw);
  }
  std::sort(medians.begin(), medians.end());
  return {quantile_of_sorted(medians, tail), quantile_of_sorted(medians, 1 - tail)};
}

Interval student_of_mean(std::span<const double> values) {
  const auto n = static_cast<double>(values.size());
  const double mean = boost::math::statistics::mean(values.begin(), values.end());
  const double variance = boost::math::statistics::sample_variance(values.begin(), values.end());
  const double t = boost::math::quantile(boost::math::students_t(n - 1), 1 - kTail);
  const double half = t * std::sqrt(variance / n);
  return {mean - half, mean + half};
}

Summary without_interval(std::span<const double> values) {
  const auto [min, max] = std::minmax_element(values.begin(), values.end());
  return {.count = values.size(),
          .median = median_of({values.begin(), values.end()}),
          .min = *min,
          .max = *max,
          .interval = std::nullopt,
          .method = Method::kNone};
}

}  // namespace

std::string_view method_name(Method method) {
  switch (method) {
    case Method::kNone:
      return "none";
    case Method::kStudent:
      return "student";
    case Method::kBootstrap:
      return "bootstrap";
  }
  return "none";
}

std::optional<Summary> summarize(std::span<const double> values) {
  if (values.empty()) return std::nullopt;
  Summary summary = without_interval(values);
  if (values.size() >= kFewestForBootstrap) {
    summary.interval = bootstrap_of_median(values);
    summary.method = Method::kBootstrap;
  } else if (values.size() >= 2) {
    summary.interval = student_of_mean(values);
    summary.method = Method::kStudent;
  }
  return summary;
}

std::optional<Summary> paired_ratio(std::span<const double> values, std::span<const double> baseline) {
  if (values.size() != baseline.size() || values.empty()) return std::nullopt;
  std::vector<double> ratios(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!(values[i] > 0) || !(baseline[i] > 0)) return std::nullopt;
    ratios[i] = values[i] / baseline[i];
  }
  Summary summary = without_interval(ratios);
  if (ratios.size() >= kFewestForBootstrap) {
    summary.interval = bootstrap_of_median(ratios);
    summary.method = Method::kBootstrap;
  } else if (ratios.size() >= 2) {
    std::vector<double> logs(ratios.size());
    std::transform(ratios.begin(), ratios.end(), logs.begin(), [](double ratio) { return std::log(ratio); });
    const Interval of_logs = student_of_mean(logs);
    summary.interval = Interval{std::exp(of_logs.low), std::exp(of_logs.high)};
    summary.method = Method::kStudent;
  }
  return summary;
}

Verdict judge(const Summary& ratio, Better better) {
  if (!ratio.interval) return Verdict::kUndecided;
  if (ratio.interval->holds(1.0)) return Verdict::kNoDifference;
  if (better == Better::kNeither) return Verdict::kDiffers;
  const bool lower = ratio.interval->high < 1.0;
  return lower == (better == Better::kLower) ? Verdict::kBetter : Verdict::kWorse;
}

}  // namespace heapmark::stats
