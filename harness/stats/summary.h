// Medians, intervals and paired ratios of repeated measurements. Pure arithmetic: no I/O, no clock; the
// same values give the same answer (the bootstrap draws from a fixed seed). Above: views and results files.
//
// Which interval is used depends on how many values there are, and is always told with the figure:
//   6 and more   bootstrap of the median, percentile levels widened for small samples (Hesterberg, "What
//                Teachers Should Know About the Bootstrap", The American Statistician 69(4), 2015)
//   2 to 5       Student's t (of the logarithms for ratios): a bootstrap of so few values is too narrow
//   1            none
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace heapmark::stats {

struct Interval {
  double low;
  double high;
  [[nodiscard]] bool holds(double value) const { return low <= value && value <= high; }
};

enum class Method { kNone, kStudent, kBootstrap };
[[nodiscard]] std::string_view method_name(Method method);

struct Summary {
  std::size_t count = 0;
  double median = 0;
  double min = 0;
  double max = 0;
  std::optional<Interval> interval;  // 95 %
  Method method = Method::kNone;
};

// The median of `values` with its 95 % interval; nothing of an empty span.
[[nodiscard]] std::optional<Summary> summarize(std::span<const double> values);

// The ratio value[i] / baseline[i] of the same round i, summarized: Summary::median is the median ratio.
// Nothing where the spans differ in length, are empty, or any of the values is not above zero.
[[nodiscard]] std::optional<Summary> paired_ratio(std::span<const double> values,
                                                  std::span<const double> baseline);

enum class Better { kLower, kHigher, kNeither };
enum class Verdict { kBetter, kWorse, kNoDifference, kDiffers, kUndecided };

// What a ratio says where `better` values are better: kNoDifference where its interval holds 1, kUndecided
// where it has no interval, kDiffers where it differs in a metric in which neither direction is better.
[[nodiscard]] Verdict judge(const Summary& ratio, Better better);

}  // namespace heapmark::stats
