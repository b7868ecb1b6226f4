// What --pressure may say, and the trials that the pressure pass becomes in a plan.
#include "harness/plan/pressure_limits.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "harness/plan/plan.h"
#include "harness/plan/usage_error.h"

using namespace heapmark;
using namespace heapmark::plan;
using Catch::Contains;

namespace {

WorkloadInfo workload() {
  WorkloadInfo info;
  info.name = "churn";
  info.group = "standard";
  info.variants = {{"small", {"speed", "pressure"}, "", ""}, {"quiet", {"speed"}, "", ""}};
  return info;
}

std::vector<Selection> allocators() {
  std::vector<Selection> all(2);
  all[0].label = "glibc";
  all[1].label = "quick";
  return all;
}

Request request(const std::vector<std::string>& passes) {
  Request request;
  request.passes = passes;
  request.rounds = Rounds{{"speed", 2}, {"pressure", 2}};
  request.pressure = parse_pressure_limits("0.9,0.5,smallest");
  return request;
}

}  // namespace

TEST_CASE("limits are shares of the peak and the word smallest") {
  CHECK(parse_pressure_limits("0.9,0.8,0.7,0.6,smallest") == PressureLimits{});
  CHECK(parse_pressure_limits("smallest") == PressureLimits{{}, true});
  CHECK(parse_pressure_limits("1.5") == PressureLimits{{1.5}, false});
}

TEST_CASE("limits that make no sense are refused with what would") {
  for (const char* const written : {"0", "-0.5", "11", "0.9x", "90%", ",", "inf", "nan", "least"})
    CHECK_THROWS_WITH(parse_pressure_limits(written), Contains("0.9,0.7,smallest"));
  CHECK_THROWS_WITH(parse_pressure_limits("0.9,0.90"), Contains("given twice"));
  CHECK_THROWS_AS(parse_pressure_limits(""), UsageError);
}

TEST_CASE("a limit is part of the name of a variant, and can be taken off again") {
  CHECK(variant_at("small-1t", 0.9) == "small-1t@0.9");
  CHECK(variant_at("small-1t", 0) == "small-1t@unlimited");
  for (const double share : {0.0, 0.65, 1.0})
    CHECK(variant_without_limit(variant_at("small", share)) == "small");
  CHECK(variant_without_limit("small") == "small");
}

TEST_CASE("in each round the pressure pass begins without a limit, then all allocators at each limit") {
  const auto plan = make_plan(request({"pressure"}), allocators(), {workload()});
  REQUIRE(plan.size() == 2 * 3 * 2);
  const char* const order[] = {"small@unlimited", "small@0.9", "small@0.5"};
  const double shares[] = {0, 0.9, 0.5};
  for (std::size_t at = 0; at < plan.size(); ++at) {
    CHECK(plan[at].variant == order[at / 2 % 3]);
    CHECK(plan[at].limit_share == shares[at / 2 % 3]);
    CHECK(plan[at].finds_smallest_limit == (at / 2 % 3 == 0));
    CHECK(plan[at].round == at / 6);
    CHECK(plan[at].id == at);
    CHECK_FALSE(plan[at].lockstep);
  }
}

TEST_CASE("the pressure pass is done only where it is named") {
  for (const auto& passes : {std::vector<std::string>{}, {"speed"}}) {
    const auto plan = make_plan(request(passes), allocators(), {workload()});
    CHECK(std::all_of(plan.begin(), plan.end(), [](const auto& spec) { return spec.pass == "speed"; }));
  }
  const auto all = make_plan(request({"all"}), allocators(), {workload()});
  CHECK(std::any_of(all.begin(), all.end(), [](const auto& spec) { return spec.pass == "pressure"; }));
}

TEST_CASE("all limits of a round are measured on one machine") {
  Request sharded = request({"pressure"});
  std::size_t trials = 0;
  for (const unsigned index : {1U, 2U}) {
    sharded.shard = {index, 2};
    const auto plan = make_plan(sharded, allocators(), {workload()});
    trials += plan.size();
    for (const auto& spec : plan) CHECK(spec.round == plan.front().round);
  }
  CHECK(trials == 12);
}
