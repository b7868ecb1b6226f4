#include "harness/stats/precision.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "harness/record/example_results.h"

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
  CHECK(stats::is_precise(results, "churn", "small", 0.02));
  CHECK_FALSE(stats::is_precise(results, "churn", "small", reached[0].half_width / 2));
  results.records.push_back(record::example::record("absent", "speed", 0, {{"ns_per_op", 100}}));
  CHECK_FALSE(stats::is_precise(results, "churn", "small", 0.02));
  CHECK(std::isinf(stats::time_precision(results)[0].half_width));
}

TEST_CASE("two rounds are never precise, nor is a variant that was not measured") {
  const record::Results results = with_times({50, 50.01}, {100, 100});
  CHECK_FALSE(stats::is_precise(results, "churn", "small", 0.5));
  CHECK_FALSE(stats::is_precise(results, "churn", "large", 0.5));
}
