// Medians, intervals and paired ratios of repeated measurements, and what may be said of them. Pure
// arithmetic: no I/O, no clock. Above: statistics, objectives and views, which carry what is computed here.
//
// Intervals are Student's t, 95 %. Of positive values they are formed on the logarithms: a bound is never
// negative, and a ratio and its reciprocal say the same. Of the speed pass, from eight rounds on, they are of
// the middle three fifths of the rounds (the interval of a trimmed mean; Yuen, Biometrika 61, 1974): now and
// then something else on the machine hits one process of a session, and one such round would double the width
// of the interval. What an allocator does in fewer than one launch of five is left out as well. Two
// corrections keep intervals of few rounds honest; summary_test.cc counts the false alarms that are left:
//   doubt   The scatter of n rounds is taken as at least doubt / n^2. Two processes can be equally lucky with
//           their memory layout, or two rounds agree to the byte, without proving anything.
//   tails   An interval is 1 + 1 / n times as wide as Student's: few rounds cannot show that the scatter is
//           normal, and where it is bounded Student's would be too narrow.
// One value has no interval.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "workloads/contract/metric.h"

namespace heapmark::stats {

struct Interval {
  double low;
  double high;
  [[nodiscard]] bool holds(double value) const { return low <= value && value <= high; }
};

enum class Method { kNone, kStudent, kLogStudent, kLogTrimmed };
[[nodiscard]] std::string_view method_name(Method method);

struct Summary {
  std::size_t count = 0;
  double median = 0;
  double min = 0;
  double max = 0;
  std::optional<Interval> interval;  // 95 %; holds the median
  Method method = Method::kNone;
};

// What is known of a kind of figure before it is measured. Both are of the logarithm, so roughly shares.
struct Kind {
  double doubt = 0;             // see above
  double least_difference = 0;  // a difference below this is none, however certain
  bool trimmed = false;         // see above
};

// Times depend on the luck of a process's memory layout: launches of the same program differ by some percent.
inline constexpr Kind kTimeKind{.doubt = 0.08, .least_difference = 0};
inline constexpr Kind kSpeedKind{.doubt = 0.08, .least_difference = 0, .trimmed = true};  // of the speed pass
// Memory and counts repeat almost exactly, but a difference below 1 % means nothing.
inline constexpr Kind kSteadyKind{.doubt = 0.006, .least_difference = 0.01};

// By the unit of the figure (workloads/contract/metric.h) and the pass that measured it. Of bytes, a
// difference must also exceed one page of `typical` bytes.
[[nodiscard]] Kind kind_of(std::string_view unit, std::string_view pass, double typical);

// The median of `values` with its interval; nothing of an empty span. Where a value is not above zero the
// interval is of the values themselves, and not below zero unless one of them is.
[[nodiscard]] std::optional<Summary> summarize(std::span<const double> values, const Kind& kind);

// The ratio value[i] / baseline[i] of the same round i, summarized: Summary::median is the median ratio.
// Nothing where the spans differ in length, are empty, or any of the values is not above zero.
[[nodiscard]] std::optional<Summary> paired_ratio(std::span<const double> values,
                                                  std::span<const double> baseline, const Kind& kind);

// The geometric mean over places (workload variants) of which each has ratios of its own, as many as it was
// measured rounds. `median` is that mean, `min` and `max` are of the places' means, `count` is the least
// number of rounds. Half the width of the interval of a mean of independent figures: the root of the sum of
// their squared half-widths, over their number. No interval where a place has one round.
[[nodiscard]] std::optional<Summary> mean_over_places(std::span<const std::vector<double>> ratios,
                                                      const Kind& kind);

enum class Verdict {
  kBetter,
  kWorse,
  kDiffers,     // where neither direction is better
  kEqual,       // the whole interval lies within the margin
  kCannotTell,  // yet
};
[[nodiscard]] std::string_view verdict_name(Verdict verdict);

inline constexpr double kDefaultMargin = 0.03;

struct Judgement {
  Verdict verdict = Verdict::kCannotTell;
  // About how many more rounds would decide, if they are like those so far; absent where the verdict is
  // known, one round alone cannot say, or it would take more than a thousand.
  std::optional<std::size_t> more_rounds;
};

// Better, worse or differs: the interval excludes 1, reaches beyond the margin, and the ratio differs by more
// than the kind's least difference. `margin` is a share: 0.03 for 3 %.
[[nodiscard]] Judgement judge(const Summary& ratio, Better better, const Kind& kind, double margin);

}  // namespace heapmark::stats
