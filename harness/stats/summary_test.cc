#include "harness/stats/summary.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <random>
#include <vector>

using namespace heapmark;
using namespace heapmark::stats;

namespace {

constexpr Kind kCertain{};  // neither doubt nor a least difference: Student's t alone, but for the tails

Judgement judged(const std::vector<double>& ratios, const Kind& kind, double margin = kDefaultMargin) {
  const std::vector<double> ones(ratios.size(), 1.0);
  return judge(*paired_ratio(ratios, ones, kind), Better::kLower, kind, margin);
}

}  // namespace

TEST_CASE("nothing measured gives no summary, not zero") {
  CHECK_FALSE(summarize({}, kCertain).has_value());
  CHECK_FALSE(paired_ratio({}, {}, kCertain).has_value());
}

TEST_CASE("one value has a median and no interval, and decides nothing") {
  const std::vector<double> one{42.0};
  const auto summary = summarize(one, kSpeedKind);
  REQUIRE(summary);
  CHECK(summary->median == 42.0);
  CHECK_FALSE(summary->interval);
  CHECK(summary->method == Method::kNone);
  const Judgement judgement = judge(*summary, Better::kLower, kSpeedKind, kDefaultMargin);
  CHECK(judgement.verdict == Verdict::kCannotTell);
  CHECK_FALSE(judgement.more_rounds);
}

TEST_CASE("an interval is Student's t of the logarithms, widened for few rounds: by hand") {
  // Logarithms 1, 2, 3: mean 2, deviation 1, t(2 degrees, 97.5 %) = 4.30265, tails 1 + 1/3.
  const double half = 4.30265 / std::sqrt(3) * (1 + 1.0 / 3);
  const std::vector<double> values{std::exp(3), std::exp(1), std::exp(2)};
  const auto summary = summarize(values, kCertain);
  REQUIRE(summary->interval);
  CHECK(summary->median == Approx(std::exp(2)));
  CHECK(summary->method == Method::kLogStudent);
  CHECK(summary->interval->low == Approx(std::exp(2 - half)).epsilon(1e-4));
  CHECK(summary->interval->high == Approx(std::exp(2 + half)).epsilon(1e-4));
}

TEST_CASE("positive values have no negative bound, nor have those that may be zero") {
  const std::vector<double> wild{1, 1000}, with_zero{0, 10}, with_negative{-3, 10};
  CHECK(summarize(wild, kCertain)->interval->low > 0);
  CHECK(summarize(with_zero, kCertain)->interval->low == 0);
  CHECK(summarize(with_zero, kCertain)->method == Method::kStudent);
  CHECK(summarize(with_negative, kCertain)->interval->low < -3);
}

TEST_CASE("the interval holds the median, however skewed the values") {
  const std::vector<double> skewed{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1e9, 1e9, 1e9, 1e9};
  const auto summary = summarize(skewed, kCertain);
  CHECK(summary->interval->holds(summary->median));
}

TEST_CASE("the interval of times leaves a fifth of the rounds out at either end: by hand") {
  // Logarithms -0.9, 0, 0.01, 0.02, 0.03, 0.04, 0.05, 0.9: without the ends their mean is 0.025. With 0 and
  // 0.05 in place of the ends the deviation is 0.0207; sqrt(8 * 7 / (6 * 5)) of it is 0.0283, and
  // 2.571 * 0.0283 / sqrt(8) * 9/8 = 0.0289.
  std::vector<double> ratios;
  for (const double log : {0.9, 0.02, 0.0, 0.04, 0.01, 0.05, 0.03, -0.9}) ratios.push_back(std::exp(log));
  const std::vector<double> ones(8, 1);
  const auto ratio = paired_ratio(ratios, ones, kSpeedKind);
  CHECK(ratio->method == Method::kLogTrimmed);
  CHECK(std::log(ratio->interval->low) == Approx(0.025 - 0.0289).epsilon(0.02));
  CHECK(std::log(ratio->interval->high) == Approx(0.025 + 0.0289).epsilon(0.01));
  // Of memory and of the time of other passes every round counts, and of few rounds.
  CHECK(paired_ratio(ratios, ones, kSteadyKind)->interval->high > 1.4);
  CHECK(paired_ratio(ratios, ones, kTimeKind)->interval->high > 1.4);
  // A mean over places takes each place's centre and half-width: (0.025 + 0) / 2, and half of the root of
  // the sum of their squares.
  const std::vector<std::vector<double>> places{ratios, {1, 1, 1, 1, 1, 1, 1, 1}};
  const auto mean = mean_over_places(places, kSpeedKind);
  CHECK(mean->method == Method::kLogTrimmed);
  CHECK(std::log(mean->median) == Approx(0.0125));
  CHECK(std::log(mean->interval->high) == Approx(0.0125 + 0.0289 / 2).epsilon(0.02));
  ratios.pop_back();
  CHECK(paired_ratio(ratios, std::vector<double>(7, 1), kSpeedKind)->method == Method::kLogStudent);
}

TEST_CASE("two equal rounds prove nothing: the interval has a width") {
  const std::vector<double> values{58.1, 58.1}, baseline{58.1 + 1.0 / 256, 58.1 + 1.0 / 256};
  for (const Kind& kind : {kSpeedKind, kSteadyKind}) {
    const auto ratio = paired_ratio(values, baseline, kind);
    CHECK(ratio->interval->low < 0.985);
    CHECK(ratio->interval->high > 1.015);
  }
  CHECK(judge(*paired_ratio(values, baseline, kSteadyKind), Better::kLower, kSteadyKind, 0.03).verdict !=
        Verdict::kBetter);
}

TEST_CASE("a ratio is formed within a round") {
  // The machine slows down twofold from round to round; each round still says exactly 0.5.
  const std::vector<double> values{1, 2, 4, 8};
  const std::vector<double> baseline{2, 4, 8, 16};
  const auto ratio = paired_ratio(values, baseline, kSpeedKind);
  REQUIRE(ratio);
  CHECK(ratio->median == 0.5);
  CHECK(ratio->interval->low == Approx(0.5).epsilon(0.02));
  CHECK(ratio->interval->high == Approx(0.5).epsilon(0.02));
  CHECK(judge(*ratio, Better::kLower, kSpeedKind, 0.03).verdict == Verdict::kBetter);
  CHECK(judge(*ratio, Better::kHigher, kSpeedKind, 0.03).verdict == Verdict::kWorse);
  CHECK(judge(*ratio, Better::kNeither, kSpeedKind, 0.03).verdict == Verdict::kDiffers);
}

TEST_CASE("no ratio is formed over zero, or between rounds that do not pair") {
  const std::vector<double> two{1, 2};
  const std::vector<double> with_zero{1, 0};
  const std::vector<double> three{1, 2, 3};
  CHECK_FALSE(paired_ratio(two, with_zero, kCertain));
  CHECK_FALSE(paired_ratio(with_zero, two, kCertain));
  CHECK_FALSE(paired_ratio(two, three, kCertain));
}

TEST_CASE("equal means that the whole interval lies within the margin") {
  const std::vector<double> close{1.004, 0.996, 1.002, 0.998, 1.001, 0.999};
  CHECK(judged(close, kSpeedKind).verdict == Verdict::kEqual);
  CHECK(judged(close, kSpeedKind, 0.001).verdict == Verdict::kCannotTell);
  // Certainly above 1, but within 3 %.
  const std::vector<double> slightly{1.010, 1.011, 1.012, 1.010, 1.011, 1.012};
  CHECK(judged(slightly, kSpeedKind).verdict == Verdict::kEqual);
  CHECK(judged(slightly, kSpeedKind, 0.005).verdict == Verdict::kWorse);
}

TEST_CASE("an interval that holds 1 and leaves the margin cannot tell, and says how many rounds would") {
  const std::vector<double> wide{1.12, 0.97, 1.11, 0.98};
  const Judgement judgement = judged(wide, kSpeedKind);
  CHECK(judgement.verdict == Verdict::kCannotTell);
  REQUIRE(judgement.more_rounds);
  // Logarithms: mean 0.0418, deviation 0.0777. Half of the interval must fall below the mean:
  // 18 rounds, 12 of which count, 2.201 * 0.0777 / sqrt(18) * 19/18 = 0.0426, do not do; 19, 0.0409, do.
  CHECK(*judgement.more_rounds + wide.size() == 19);
}

TEST_CASE("a difference of memory must exceed 1 % and a page") {
  const std::vector<double> half_a_percent(6, 1.005), two_percent(6, 1.02);
  CHECK(judged(half_a_percent, kSteadyKind, 0.001).verdict == Verdict::kEqual);
  CHECK(judged(two_percent, kSteadyKind, 0.001).verdict == Verdict::kWorse);
  // Of 16 KiB a page is a quarter.
  const Kind small_heap = kind_of("bytes", "memory", 16384);
  CHECK(small_heap.least_difference == Approx(std::log(1.25)));
  const std::vector<double> a_page(6, 1.24), two_pages(6, 1.5);
  CHECK(judged(a_page, small_heap, 0.001).verdict == Verdict::kEqual);
  CHECK(judged(two_pages, small_heap, 0.001).verdict == Verdict::kWorse);
  CHECK(kind_of("ns", "speed", 100).doubt > kind_of("count", "speed", 100).doubt);
  CHECK(kind_of("ns", "speed", 100).trimmed);
  CHECK_FALSE(kind_of("ns", "latency", 100).trimmed);  // there the rare round is what is looked for
}

// Ratios of an allocator to itself, under scatters as machines have them; in each case the two sides are
// alike, so that every "better" or "worse" is a false alarm.
TEST_CASE("of an allocator against itself at most 5 in 100 verdicts are better or worse") {
  constexpr int kExperiments = 4000;
  std::mt19937_64 random(13);
  std::normal_distribution<double> normal(0, 1);
  std::uniform_real_distribution<double> uniform(0, 1);
  std::student_t_distribution<double> heavy(3);
  const auto lucky = [&] { return uniform(random) < 0.3 ? 0.04 : 0.0; };
  const auto burst = [&] { return uniform(random) < 0.15 ? 0.7 * uniform(random) : 0.0; };
  struct Scatter {
    const char* name;
    Kind kind;
    std::function<double()> log_ratio;
  };
  const std::vector<Scatter> scatters{
      {"quiet", kSpeedKind, [&] { return 0.01 * normal(random); }},
      {"noisy", kSpeedKind, [&] { return 0.1 * normal(random); }},
      {"heavy tails", kSpeedKind, [&] { return 0.03 * heavy(random); }},
      {"bursts of load", kSpeedKind, [&] { return 0.03 * normal(random) + burst() - burst(); }},
      {"lucky layouts", kSpeedKind, [&] { return 0.003 * normal(random) + lucky() - lucky(); }},
      {"memory of threads", kSteadyKind, [&] { return 0.05 * normal(random); }},
      {"memory to the page", kSteadyKind, [&] { return 0.001 * std::round(0.6 * normal(random)); }},
  };
  for (const Scatter& scatter : scatters)
    for (const std::size_t rounds : {2U, 3U, 6U, 8U, 10U, 24U}) {
      int alarms = 0;
      for (int i = 0; i < kExperiments; ++i) {
        std::vector<double> ratios(rounds);
        for (double& ratio : ratios) ratio = std::exp(scatter.log_ratio());
        const Verdict verdict = judged(ratios, scatter.kind).verdict;
        alarms += verdict == Verdict::kBetter || verdict == Verdict::kWorse;
      }
      CAPTURE(scatter.name, rounds, alarms);
      CHECK(alarms <= kExperiments * 5 / 100);
    }
}

TEST_CASE("a difference of 5 percent is found in 9 of 10 runs once the scatter is 2 percent, from 6 rounds") {
  constexpr int kExperiments = 1000;
  std::mt19937_64 random(7);
  std::normal_distribution<double> scatter(std::log(1.05), 0.02);
  int found = 0;
  for (int i = 0; i < kExperiments; ++i) {
    std::vector<double> ratios(6);
    for (double& ratio : ratios) ratio = std::exp(scatter(random));
    found += judged(ratios, kSpeedKind).verdict == Verdict::kWorse;
  }
  CHECK(found >= kExperiments * 9 / 10);
}
