#include "harness/stats/summary.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <random>
#include <vector>

using namespace heapmark::stats;

TEST_CASE("nothing measured gives no summary, not zero") {
  CHECK_FALSE(summarize({}).has_value());
  CHECK_FALSE(paired_ratio({}, {}).has_value());
}

TEST_CASE("one value has a median and no interval") {
  const std::vector<double> one{42.0};
  const auto summary = summarize(one);
  REQUIRE(summary);
  CHECK(summary->median == 42.0);
  CHECK_FALSE(summary->interval);
  CHECK(summary->method == Method::kNone);
  CHECK(judge(*summary, Better::kLower) == Verdict::kUndecided);
}

TEST_CASE("few values use Student's t: 1, 2, 3 worked by hand") {
  // mean 2, standard deviation 1, t(2 degrees, 97.5 %) = 4.30265, so 2 +- 4.30265 / sqrt(3) = 2 +- 2.48414
  const std::vector<double> values{3.0, 1.0, 2.0};
  const auto summary = summarize(values);
  REQUIRE(summary);
  CHECK(summary->median == 2.0);
  CHECK(summary->method == Method::kStudent);
  CHECK(summary->interval->low == Approx(-0.48414).epsilon(1e-4));
  CHECK(summary->interval->high == Approx(4.48414).epsilon(1e-4));
}

TEST_CASE("the median of an even count lies between the middle two") {
  const std::vector<double> values{4.0, 1.0, 3.0, 2.0};
  CHECK(summarize(values)->median == 2.5);
}

TEST_CASE("six values use the bootstrap, and the interval stays within the values") {
  const std::vector<double> values{10, 11, 12, 13, 14, 15};
  const auto summary = summarize(values);
  REQUIRE(summary->interval);
  CHECK(summary->method == Method::kBootstrap);
  CHECK(summary->median == 12.5);
  CHECK(summary->interval->low >= 10);
  CHECK(summary->interval->low < 12.5);
  CHECK(summary->interval->high <= 15);
  CHECK(summary->interval->high > 12.5);
}

TEST_CASE("values that never vary have an interval of no width") {
  const std::vector<double> same(7, 5.0);
  const auto summary = summarize(same);
  CHECK(summary->interval->low == 5.0);
  CHECK(summary->interval->high == 5.0);
}

TEST_CASE("a ratio is formed within a round") {
  // The machine slows down twofold from round to round; each round still says exactly 0.5.
  const std::vector<double> values{1, 2, 4, 8};
  const std::vector<double> baseline{2, 4, 8, 16};
  const auto ratio = paired_ratio(values, baseline);
  REQUIRE(ratio);
  CHECK(ratio->median == 0.5);
  CHECK(ratio->interval->low == Approx(0.5));
  CHECK(ratio->interval->high == Approx(0.5));
  CHECK(judge(*ratio, Better::kLower) == Verdict::kBetter);
  CHECK(judge(*ratio, Better::kHigher) == Verdict::kWorse);
  CHECK(judge(*ratio, Better::kNeither) == Verdict::kDiffers);
}

TEST_CASE("no ratio is formed over zero, or between rounds that do not pair") {
  const std::vector<double> two{1, 2};
  const std::vector<double> with_zero{1, 0};
  const std::vector<double> three{1, 2, 3};
  CHECK_FALSE(paired_ratio(two, with_zero));
  CHECK_FALSE(paired_ratio(with_zero, two));
  CHECK_FALSE(paired_ratio(two, three));
}

TEST_CASE("an interval that holds 1 is no difference") {
  const std::vector<double> values{1.1, 0.9, 1.05, 0.95};
  const std::vector<double> baseline{1, 1, 1, 1};
  CHECK(judge(*paired_ratio(values, baseline), Better::kLower) == Verdict::kNoDifference);
}

TEST_CASE("of two equal noisy series at least 95 in 100 are called no difference, at every round count") {
  // Simulated machine noise: log-normal with one round in ten slowed down by up to a half.
  for (const std::size_t rounds : {2u, 3u, 5u, 6u, 7u, 10u, 15u, 21u}) {
    std::mt19937_64 random(rounds);
    std::normal_distribution<double> jitter(0, 0.03);
    std::uniform_real_distribution<double> uniform(0, 1);
    const auto measure = [&] {
      const double slow_down = uniform(random) < 0.1 ? 1 + 0.5 * uniform(random) : 1.0;
      return std::exp(jitter(random)) * slow_down;
    };
    constexpr int kExperiments = 400;
    int no_difference = 0;
    for (int i = 0; i < kExperiments; ++i) {
      std::vector<double> a(rounds), b(rounds);
      for (double& value : a) value = measure();
      for (double& value : b) value = measure();
      no_difference += judge(*paired_ratio(a, b), Better::kLower) == Verdict::kNoDifference;
    }
    INFO("rounds " << rounds << ": " << no_difference << " of " << kExperiments);
    CHECK(no_difference >= kExperiments * 95 / 100 - 4);
  }
}
