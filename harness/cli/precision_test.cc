#include "harness/cli/precision.h"

#include <catch2/catch.hpp>

#include "harness/plan/usage_error.h"

using namespace heapmark;
using Catch::Contains;

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
  const std::vector<stats::Reached> reached{{"churn", "a", "scudo", 0.04}, {"churn", "b", "x", 0.01}};
  const std::string words = cli::precision_words(reached, 0.02);
  CHECK_THAT(words, Contains("1.0 % in the median") && Contains("4.0 % at most (churn/a, scudo)"));
  CHECK_THAT(words, Contains("reached in 1 of 2") && Contains("not in churn/a (4.0 %, scudo)"));
  CHECK_THAT(cli::precision_words(reached, 0), !Contains("--precision"));
  CHECK(cli::precision_words({}, 0.02).empty());
  CHECK_THAT(cli::precision_words({{"churn", "a", "scudo", 7}}, 0), Contains("over 100 %"));
}
