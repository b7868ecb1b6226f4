#include "harness/stats/precision.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <random>

#include "harness/record/example_results.h"
#include "harness/stats/summary.h"

using namespace heapmark;

namespace {

record::Results with_times(const std::vector<double>& quick, const std::vector<double>& glibc) {
  record::Results results = record::example::results();
  for (unsigned round = 0; round < quick.size(); ++round) {
    results.records.push_back(
        record::example::record("quick", "speed", round, {{"ns_per_op", quick[round]}}));
    results.records.push_back(
        record::example::record("glibc", "speed", round, {{"ns_per_op", glibc[round]}}));
  }
  return results;
}

}  // namespace

TEST_CASE("the precision of a workload variant is that of its widest interval of time") {
  // ratios 0.5 each but for a tenth of a percent; so few rounds are not taken to be that certain
  record::Results results = with_times({50, 50.05, 49.95, 50}, {100, 100, 100, 100});
  const auto reached = stats::time_precision(results);
  REQUIRE(reached.size() == 1);
  CHECK(reached[0].allocator == "quick");
  CHECK(reached[0].half_width > 0);
  CHECK(reached[0].half_width < 0.02);
  CHECK_FALSE(stats::wants_more_rounds(results, "churn", "small", "quick", 0.02));
  CHECK(stats::wants_more_rounds(results, "churn", "small", "quick", reached[0].half_width / 2));
  results.records.push_back(record::example::record("absent", "speed", 0, {{"ns_per_op", 100}}));
  CHECK_FALSE(stats::wants_more_rounds(results, "churn", "small", "quick", 0.02));
  CHECK(stats::wants_more_rounds(results, "churn", "small", "absent", 0.02));
  CHECK(stats::wants_more_rounds(results, "churn", "small", "unknown", 0.02));
  CHECK(std::isinf(stats::time_precision(results)[0].half_width));
}

TEST_CASE("two rounds are never precise, nor is a variant that was not measured") {
  const record::Results results = with_times({50, 50.01}, {100, 100});
  CHECK(stats::wants_more_rounds(results, "churn", "small", "quick", 0.5));
  CHECK(stats::wants_more_rounds(results, "churn", "large", "quick", 0.5));
}

TEST_CASE("where several threads work, twice the width is enough") {
  record::Results results = with_times({50, 51, 49, 50}, {100, 100, 100, 100});
  const double width = stats::time_precision(results)[0].half_width;
  CHECK(stats::wants_more_rounds(results, "churn", "small", "quick", width * 0.75));
  for (record::Record& record : results.records) record.result.lockstep.emplace().threads = 4;
  CHECK_FALSE(stats::wants_more_rounds(results, "churn", "small", "quick", width * 0.75));
  CHECK(stats::wants_more_rounds(results, "churn", "small", "quick", width * 0.45));
  CHECK(stats::time_precision(results)[0].threads == 4);
}

TEST_CASE("an allocator that never gave a time is tried three times, not for ever") {
  record::Results results = with_times({50, 50, 50, 50}, {100, 101, 99, 100});
  for (unsigned round = 0; round < 3; ++round) {
    CHECK(stats::wants_more_rounds(results, "churn", "small", "broken", 0.02));
    results.records.push_back(record::example::record("broken", "speed", round, {}));
    results.records.back().result.outcome = trial::Outcome::kCrashed;
  }
  CHECK_FALSE(stats::wants_more_rounds(results, "churn", "small", "broken", 0.02));
}

TEST_CASE("an allocator whose last three trials failed keeps no other from its turn") {
  record::Results results = with_times({50, 50.1, 50, 50.1, 50, 50.1}, {100, 100, 100, 100, 100, 100});
  const double without = stats::precision_shortfall(results, "churn", "small", 0.02);
  CHECK(without > 0);
  CHECK(without < 1);
  const double times[] = {70, 140, 70};  // far from precise
  for (unsigned round = 0; round < 6; ++round) {
    CHECK(stats::wants_more_rounds(results, "churn", "small", "broken", 0.02));
    results.records.push_back(
        record::example::record("broken", "speed", round, {{"ns_per_op", times[round % 3]}}));
    if (round >= 3) results.records.back().result.outcome = trial::Outcome::kCrashed;
    if (round < 5) CHECK(stats::precision_shortfall(results, "churn", "small", 0.02) > 1);
  }
  CHECK_FALSE(stats::wants_more_rounds(results, "churn", "small", "broken", 0.02));
  CHECK(stats::precision_shortfall(results, "churn", "small", 0.02) == without);
}

TEST_CASE("where the baseline fails again and again there is nothing to wait for") {
  record::Results results = with_times({50, 80}, {100, 100});
  CHECK(std::isinf(stats::precision_shortfall(results, "churn", "small", 0.02)));
  for (unsigned round = 2; round < 5; ++round)
    for (const char* const label : {"glibc", "quick"}) {
      results.records.push_back(record::example::record(label, "speed", round, {{"ns_per_op", 70}}));
      if (label[0] == 'g') results.records.back().result.outcome = trial::Outcome::kCrashed;
    }
  CHECK(stats::precision_shortfall(results, "churn", "small", 0.02) == 0);
  CHECK_FALSE(stats::wants_more_rounds(results, "churn", "small", "quick", 0.02));
}

TEST_CASE("a variant is far from the precision while one of its allocators was hardly tried") {
  record::Results results = with_times({50, 50.1, 50, 50.1}, {100, 100, 100, 100});
  results.records.push_back(record::example::record("late", "speed", 7, {{"ns_per_op", 70}}));
  CHECK(std::isinf(stats::precision_shortfall(results, "churn", "small", 0.02)));
}

TEST_CASE("how far a variant is from the precision asked for") {
  record::Results results = with_times({50, 51, 49, 50}, {100, 100, 100, 100});
  const double width = stats::time_precision(results)[0].half_width;
  CHECK(stats::precision_shortfall(results, "churn", "small", width / 3) == Approx(3));
  for (record::Record& record : results.records) record.result.lockstep.emplace().threads = 4;
  CHECK(stats::precision_shortfall(results, "churn", "small", width / 3) == Approx(1.5));
  CHECK(std::isinf(stats::precision_shortfall(results, "churn", "large", width)));
  CHECK(std::isinf(stats::precision_shortfall(with_times({50, 51}, {100, 100}), "churn", "small", width)));
}

// To stop at the first narrow interval favours those that are narrow by luck. How often that misleads is a
// matter of arithmetic: logarithms of ratios that are normal, but for one in ten where there are outliers;
// three rounds at least and a hundred at most.
TEST_CASE("intervals at which the rounds end early miss the true ratio about as often as they say") {
  constexpr int kRuns = 500;
  constexpr double kPrecision = 0.05;
  std::mt19937_64 random(1);
  struct Scatter {
    double deviation, outlier;
  };
  for (const auto& [deviation, outlier] :
       std::vector<Scatter>{{0.02, 0}, {0.05, 0}, {0.08, 0}, {0.15, 0}, {0.05, 0.5}}) {
    int missed = 0;
    for (int run = 0; run < kRuns; ++run) {
      std::vector<double> times, base;
      for (bool wanted = true; wanted;) {
        // Box and Muller: std::normal_distribution may differ between standard libraries.
        const double radius = std::sqrt(-2 * std::log((static_cast<double>(random() >> 11) + 1) * 0x1p-53));
        const double angle = 6.283185307179586 * static_cast<double>(random() >> 11) * 0x1p-53;
        const double hit = random() % 10 == 0 ? (random() % 2 == 0 ? outlier : -outlier) : 0;
        times.push_back(std::exp(deviation * radius * std::cos(angle) + hit));
        base.push_back(1);
        const auto ratio = stats::paired_ratio(times, base, stats::kSpeedKind);
        const bool narrow = times.size() >= 3 &&
                            (ratio->interval->high - ratio->interval->low) / 2 / ratio->median <= kPrecision;
        wanted = !narrow && times.size() < 100;
        if (!wanted) missed += ratio->interval->low > 1 || ratio->interval->high < 1;
      }
    }
    CAPTURE(deviation, outlier, missed);
    CHECK(missed < kRuns * 9 / 100);
  }
}
