#include "harness/cli/precision.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "harness/plan/usage_error.h"
#include "harness/record/example_results.h"

using namespace heapmark;
using Catch::Contains;

namespace {

record::Results with_times(const std::vector<double>& quick, const std::vector<double>& glibc) {
  record::Results results = record::example::results();
  for (unsigned round = 0; round < quick.size(); ++round) {
    results.records.push_back(record::example::record("quick", "speed", round, {{"ns_per_op", quick[round]}}));
    results.records.push_back(record::example::record("glibc", "speed", round, {{"ns_per_op", glibc[round]}}));
  }
  return results;
}

}  // namespace

TEST_CASE("the precision of a workload variant is that of its widest interval of time") {
  // ratios 0.5 each but for a tenth of a percent
  record::Results results = with_times({50, 50.05, 49.95, 50}, {100, 100, 100, 100});
  const auto reached = cli::time_precision(results);
  REQUIRE(reached.size() == 1);
  CHECK(reached[0].allocator == "quick");
  CHECK(reached[0].half_width > 0);
  CHECK(reached[0].half_width < 0.005);
  CHECK(cli::is_precise(results, "churn", "small", 0.01));
  CHECK_FALSE(cli::is_precise(results, "churn", "small", reached[0].half_width / 2));
  results.records.push_back(record::example::record("absent", "speed", 0, {{"ns_per_op", 100}}));
  CHECK_FALSE(cli::is_precise(results, "churn", "small", 0.01));
  CHECK(std::isinf(cli::time_precision(results)[0].half_width));
}

TEST_CASE("two rounds are never precise, nor is a variant that was not measured") {
  const record::Results results = with_times({50, 50.01}, {100, 100});
  CHECK_FALSE(cli::is_precise(results, "churn", "small", 0.5));
  CHECK_FALSE(cli::is_precise(results, "churn", "large", 0.5));
}

TEST_CASE("a precision is a share") {
  CHECK(cli::parse_precision("2%") == Approx(0.02));
  CHECK(cli::parse_precision("0.5 %") == Approx(0.005));
  CHECK(cli::parse_precision("0.02") == Approx(0.02));
  for (const char* wrong : {"", "0", "-1%", "2x", "100%", "%"}) {
    CAPTURE(wrong);
    CHECK_THROWS_AS(cli::parse_precision(wrong), UsageError);
  }
}

TEST_CASE("the words say what was reached and where it was not") {
  const std::vector<cli::Reached> reached{{"churn", "a", "scudo", 0.04}, {"churn", "b", "x", 0.01}};
  const std::string words = cli::precision_words(reached, 0.02);
  CHECK_THAT(words, Contains("1.0 % in the median") && Contains("4.0 % at most (churn/a, scudo)"));
  CHECK_THAT(words, Contains("reached in 1 of 2") && Contains("not in churn/a (4.0 %, scudo)"));
  CHECK_THAT(cli::precision_words(reached, 0), !Contains("--precision"));
  CHECK(cli::precision_words({}, 0.02).empty());
}
