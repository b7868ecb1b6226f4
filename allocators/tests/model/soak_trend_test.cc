// The arithmetic of the soak's verdict, with numbers worked by hand.
#include "allocators/tests/model/soak_trend.h"

#include <catch2/catch.hpp>
#include <random>
#include <vector>

using namespace heapmark::model;

TEST_CASE("a straight line has its slope, and an interval of no width") {
  std::vector<double> samples;
  for (int at = 0; at < 400; ++at) samples.push_back(7 + 0.5 * at);
  const auto trend = trend_of(samples.data(), samples.size(), 4);
  REQUIRE(trend.has_value());
  CHECK(trend->slope == Approx(0.5));
  CHECK(trend->low == Approx(0.5));
  CHECK(trend->high == Approx(0.5));
  CHECK(trend->batches == 20);
  CHECK(trend->batch_samples == 20);
  CHECK(grows(*trend));
}

TEST_CASE("four means give the slope and interval of the textbook") {
  // Means 1, 2, 2, 3: slope 3/5; residuals 0.1 0.3 -0.3 -0.1... squares sum to 0.2; error = sqrt(0.2 / 2 /
  // 5).
  const double samples[] = {99, 1, 1, 1, 3, 2, 2, 2, 4};
  const auto trend = trend_of(samples, 9, 2);
  REQUIRE(trend.has_value());
  CHECK(trend->batches == 4);
  CHECK(trend->batch_samples == 2);
  CHECK(trend->slope == Approx(0.3));
  CHECK(trend->low == Approx((0.6 - 4.303 * 0.1414213562) / 2));
  CHECK(trend->high == Approx((0.6 + 4.303 * 0.1414213562) / 2));
  CHECK_FALSE(grows(*trend));
}

TEST_CASE("a period is no growth, however large") {
  std::vector<double> samples;
  for (int at = 0; at < 403; ++at) samples.push_back(at % 4 == 0 ? 1000 : at % 4);
  const auto trend = trend_of(samples.data(), samples.size(), 4);
  REQUIRE(trend.has_value());
  CHECK(trend->slope == Approx(0).margin(1e-9));
}

TEST_CASE("falling is no growth") {
  std::vector<double> samples;
  for (int at = 0; at < 100; ++at) samples.push_back(-3.0 * at);
  CHECK_FALSE(grows(trend_of(samples.data(), samples.size(), 4).value()));
}

TEST_CASE("noise without a slope is called growth in few of a thousand series") {
  std::mt19937 random(1);
  std::normal_distribution<double> noise;
  int called = 0;
  for (int series = 0; series < 1000; ++series) {
    std::vector<double> samples;
    for (int at = 0; at < 480; ++at) samples.push_back(noise(random));
    called += grows(trend_of(samples.data(), samples.size(), 4).value());
  }
  CHECK(called >= 10);  // 25 are expected: one tail of 5 %
  CHECK(called <= 45);
}

TEST_CASE("too few samples have no trend") {
  const double samples[16] = {};
  CHECK_FALSE(trend_of(samples, 15, 4).has_value());
  CHECK(trend_of(samples, 16, 4).has_value());
  CHECK_FALSE(trend_of(samples, 0, 4).has_value());
  CHECK_FALSE(trend_of(samples, 16, 0).has_value());
}
