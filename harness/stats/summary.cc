#include "harness/stats/summary.h"

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <boost/math/statistics/univariate_statistics.hpp>
#include <cmath>
#include <vector>

namespace heapmark::stats {
namespace {

constexpr double kTail = 0.025;
constexpr double kPageBytes = 4096;
constexpr std::size_t kMostRounds = 1000;

double median_of(std::vector<double> values) {
  return boost::math::statistics::median(values);
}

double mean_of(std::span<const double> values) {
  return boost::math::statistics::mean(values.begin(), values.end());
}

double deviation_of(std::span<const double> values) {
  return std::sqrt(boost::math::statistics::sample_variance(values.begin(), values.end()));
}

// How many of `n` sorted values are left out at either end.
std::size_t left_out(std::size_t n, const Kind& kind) {
  constexpr std::size_t kLeast = 8;  // the few that are left of fewer have no narrower interval
  return kind.trimmed && n >= kLeast ? n / 5 : 0;
}

// Half the width of the interval of the mean of `n` values, or of those of them that are not left out. The
// scatter is their standard deviation, or what centre_of() takes in its place.
double half_width(std::size_t n, double scatter, double doubt, const Kind& kind) {
  const auto count = static_cast<double>(n), kept = count - 2 * static_cast<double>(left_out(n, kind));
  const double t = boost::math::quantile(boost::math::students_t(kept - 1), 1 - kTail);
  return t * std::max(scatter, doubt / (count * count)) / std::sqrt(count) * (1 + 1 / count);
}

struct Centre {
  double value, half;
};

// Of at least two logarithms: their mean, or that of their middle part, with half the width of its interval.
Centre centre_of(std::vector<double> logs, const Kind& kind) {
  const std::size_t out = left_out(logs.size(), kind), n = logs.size();
  std::sort(logs.begin(), logs.end());
  const double mean = mean_of(std::span(logs).subspan(out, n - 2 * out));
  // As if what is left out had the nearest value that is not (Winsor's deviation).
  for (std::size_t at = 0; at < out; ++at) {
    logs[at] = logs[out];
    logs[n - 1 - at] = logs[n - 1 - out];
  }
  const auto count = static_cast<double>(n), kept = count - 2 * static_cast<double>(out);
  const double scatter = deviation_of(logs) * std::sqrt(count * (count - 1) / (kept * (kept - 1)));
  return {mean, half_width(n, scatter, kind.doubt, kind)};
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

// Skewed values can have their median outside the interval of their mean: then the interval reaches to it.
void set_interval(Summary& summary, double low, double high, Method method) {
  summary.interval = Interval{std::min(low, summary.median), std::max(high, summary.median)};
  summary.method = method;
}

std::vector<double> logarithms_of(std::span<const double> values) {
  std::vector<double> logs(values.size());
  std::transform(values.begin(), values.end(), logs.begin(), [](double value) { return std::log(value); });
  return logs;
}

Summary on_logarithms(std::span<const double> values, const Kind& kind) {
  Summary summary = without_interval(values);
  if (values.size() < 2) return summary;
  const auto [mean, half] = centre_of(logarithms_of(values), kind);
  set_interval(summary, std::exp(mean - half), std::exp(mean + half),
               left_out(values.size(), kind) > 0 ? Method::kLogTrimmed : Method::kLogStudent);
  return summary;
}

// Whether an interval of this centre and half width (of logarithms) decides anything.
enum class Side { kUnknown, kWithin, kBeyond };
Side side_of(double centre, double half, const Kind& kind, double margin) {
  const double within = std::max(std::log1p(margin), kind.least_difference);
  const double distance = std::abs(centre);
  if (distance + half <= within) return Side::kWithin;
  if (distance > half && distance > kind.least_difference) return Side::kBeyond;
  return Side::kUnknown;
}

}  // namespace

std::string_view method_name(Method method) {
  switch (method) {
    case Method::kNone:
      return "none";
    case Method::kStudent:
      return "student";
    case Method::kLogStudent:
      return "log-student";
    case Method::kLogTrimmed:
      return "log-trimmed";
  }
  return "none";
}

Kind kind_of(std::string_view unit, std::string_view pass, double typical) {
  if (is_time(unit)) return pass == "speed" ? kSpeedKind : kTimeKind;
  Kind kind = kSteadyKind;
  if (unit == "bytes" && typical > 0)
    kind.least_difference = std::max(kind.least_difference, std::log1p(kPageBytes / typical));
  return kind;
}

std::optional<Summary> summarize(std::span<const double> values, const Kind& kind) {
  if (values.empty()) return std::nullopt;
  const double least = *std::min_element(values.begin(), values.end());
  if (least > 0) return on_logarithms(values, kind);
  Summary summary = without_interval(values);
  if (values.size() < 2) return summary;
  const double mean = mean_of(values), half = half_width(values.size(), deviation_of(values), 0, {});
  set_interval(summary, least < 0 ? mean - half : std::max(0.0, mean - half), mean + half, Method::kStudent);
  return summary;
}

std::optional<Summary> paired_ratio(std::span<const double> values, std::span<const double> baseline,
                                    const Kind& kind) {
  if (values.size() != baseline.size() || values.empty()) return std::nullopt;
  std::vector<double> ratios(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!(values[i] > 0) || !(baseline[i] > 0)) return std::nullopt;
    ratios[i] = values[i] / baseline[i];
  }
  return on_logarithms(ratios, kind);
}

std::optional<Summary> mean_over_places(std::span<const std::vector<double>> ratios, const Kind& kind) {
  if (ratios.empty()) return std::nullopt;
  std::vector<double> means;
  double squares = 0;
  bool has_interval = true, trimmed = false;
  std::size_t least = ratios.front().size();
  for (const std::vector<double>& of_place : ratios) {
    if (of_place.empty() || !(*std::min_element(of_place.begin(), of_place.end()) > 0)) return std::nullopt;
    const std::vector<double> logs = logarithms_of(of_place);
    least = std::min(least, logs.size());
    has_interval &= logs.size() > 1;
    trimmed |= left_out(logs.size(), kind) > 0;
    const Centre centre = logs.size() > 1 ? centre_of(logs, kind) : Centre{logs.front(), 0};
    means.push_back(centre.value);
    squares += std::pow(centre.half, 2);
  }
  const double mean = mean_of(means), half = std::sqrt(squares) / static_cast<double>(means.size());
  const auto [min, max] = std::minmax_element(means.begin(), means.end());
  Summary summary{.count = least,
                  .median = std::exp(mean),
                  .min = std::exp(*min),
                  .max = std::exp(*max),
                  .interval = std::nullopt,
                  .method = Method::kNone};
  if (has_interval)
    set_interval(summary, std::exp(mean - half), std::exp(mean + half),
                 trimmed ? Method::kLogTrimmed : Method::kLogStudent);
  return summary;
}

std::string_view verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::kBetter:
      return "better";
    case Verdict::kWorse:
      return "worse";
    case Verdict::kDiffers:
      return "differs";
    case Verdict::kEqual:
      return "equal";
    case Verdict::kCannotTell:
      break;
  }
  return "cannot tell";
}

Judgement judge(const Summary& ratio, Better better, const Kind& kind, double margin) {
  if (!ratio.interval || !(ratio.interval->low > 0)) return {};
  const double low = std::log(ratio.interval->low), high = std::log(ratio.interval->high);
  const double centre = (low + high) / 2, half = (high - low) / 2;
  switch (side_of(centre, half, kind, margin)) {
    case Side::kWithin:
      return {Verdict::kEqual, std::nullopt};
    case Side::kBeyond:
      if (better == Better::kNeither) return {Verdict::kDiffers, std::nullopt};
      return {(centre < 0) == (better == Better::kLower) ? Verdict::kBetter : Verdict::kWorse, std::nullopt};
    case Side::kUnknown:
      break;
  }
  // The scatter that would have given this width, doubt left out: what is still in doubt now is not later.
  const double scatter = half / half_width(ratio.count, 1, 0, kind);
  const auto count = static_cast<double>(ratio.count);
  const bool doubted = scatter <= kind.doubt / (count * count) * (1 + 1e-9);
  for (std::size_t rounds = ratio.count + 1; rounds <= kMostRounds; ++rounds)
    if (side_of(centre, half_width(rounds, doubted ? 0 : scatter, kind.doubt, kind), kind, margin) !=
        Side::kUnknown)
      return {Verdict::kCannotTell, rounds - ratio.count};
  return {};
}

}  // namespace heapmark::stats
