// The ratio over all workloads, worked by hand.
#include "harness/stats/objectives.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "harness/record/example_results.h"

using namespace heapmark;
using namespace heapmark::record;
using namespace heapmark::stats;

namespace {

void add(Results& results, const std::string& variant, unsigned round, double glibc, double quick) {
  for (const auto& [label, ns] : {std::pair{"glibc", glibc}, {"quick", quick}}) {
    Record record = example::record(label, "speed", round, {{"ns_per_op", ns}});
    record.spec.variant = variant;
    results.records.push_back(record);
  }
}

const Overall* find(const std::vector<Overall>& all, std::string_view allocator, std::string_view objective) {
  for (const Overall& one : all)
    if (one.allocator == allocator && one.objective == objective) return &one;
  return nullptr;
}

}  // namespace

TEST_CASE("an objective is the geometric mean over the workloads, round by round") {
  Results results = example::results();
  // Round 0: 2 and 0.5 times, round 1: 2 and 2 times, round 2: 8 and 0.5 times: means 1, 2 and 2.
  const double ratios[3][2] = {{2, 0.5}, {2, 2}, {8, 0.5}};
  for (unsigned round = 0; round < 3; ++round) {
    add(results, "small", round, 100, 100 * ratios[round][0]);
    add(results, "large", round, 1000, 1000 * ratios[round][1]);
  }
  const auto all = overall_of(results);
  const Overall* const time = find(all, "quick", "time");
  REQUIRE(time);
  CHECK(time->rounds == 3);
  CHECK(time->summary->median == Approx(2));
  REQUIRE(time->places.size() == 2);
  CHECK(time->places[0].variant == "large");
  CHECK(time->places[0].ratio->median == Approx(0.5));
  CHECK_FALSE(find(all, "quick", "rss"));
  CHECK_FALSE(find(all, "glibc", "time"));
}

TEST_CASE("a round in which a workload failed says nothing of the whole") {
  Results results = example::results();
  add(results, "small", 0, 100, 50);
  add(results, "large", 0, 100, 50);
  add(results, "small", 1, 100, 10);
  results.records.push_back(example::failed("quick", "speed", 1, trial::Outcome::kOutOfMemory, "refused"));
  results.records.back().spec.variant = "large";
  const auto all = overall_of(results);
  const Overall* const time = find(all, "quick", "time");
  REQUIRE(time);
  CHECK(time->rounds == 1);
  CHECK(time->summary->median == Approx(0.5));
  const json as_json = objectives_json(results, all);
  CHECK(as_json.at("quick").at("failed_trials") == 1);
  CHECK(as_json.at("quick").at("failure") == "churn/large: out of memory: refused");
}

TEST_CASE("a count of refused requests is compared with one added") {
  Results results = example::results();
  results.metrics["churn"].push_back({"failed_though_fitting", "count", "lower", "", {"limit"}, true});
  results.records.push_back(example::record("glibc", "limit", 0, {{"failed_though_fitting", 7}}));
  results.records.push_back(example::record("quick", "limit", 0, {{"failed_though_fitting", 0}}));
  const auto all = overall_of(results);
  CHECK(find(all, "quick", "failed")->summary->median == Approx(0.125));
}

TEST_CASE("the tail of a call is compared by its 99.9th percentile, as times are") {
  Results results = example::results();
  results.metrics["churn"].push_back({"p999_ns", "ns", "lower", "", {"latency"}, true});
  results.records.push_back(example::record("glibc", "latency", 0, {{"p999_ns", 1000}}));
  results.records.push_back(example::record("quick", "latency", 0, {{"p999_ns", 4000}}));
  const auto all = overall_of(results);
  CHECK(find(all, "quick", "p999")->summary->median == Approx(4));
  CHECK(kind_of_objective("p999").doubt == kTimeKind.doubt);
}

TEST_CASE("time under pressure is compared at each limit, and not without one") {
  Results results = example::results();
  results.metrics["churn"].front().passes = {"speed", "pressure"};
  const double shares[] = {0, 0.9, 0.7}, ratios[] = {100, 2, 8};
  for (int at = 0; at < 3; ++at)
    for (const char* const label : {"glibc", "quick"}) {
      Record record = example::record(label, "pressure", 0, {{"ns_per_op", 10}});
      if (record.spec.allocator == "quick") record.result.metrics["ns_per_op"] *= ratios[at];
      record.spec.limit_share = shares[at];
      record.spec.variant = "small@" + std::to_string(at);
      results.records.push_back(record);
    }
  const auto all = overall_of(results);
  const Overall* const found = find(all, "quick", "pressure_time");
  REQUIRE(found);
  CHECK(found->summary->median == Approx(4));
  CHECK(found->places.size() == 2);
  CHECK(kind_of_objective("pressure_time").doubt == kTimeKind.doubt);
}

TEST_CASE("two allocators can be compared with each other, of what all workloads say") {
  Results results = example::results();
  for (unsigned round = 0; round < 2; ++round) add(results, "small", round, 100, 50);
  const Overall back = overall_between(results, "time", "glibc", "quick");
  REQUIRE(back.summary);
  CHECK(back.complete);
  CHECK(back.summary->median == Approx(2));
  add(results, "large", 0, 100, 100);
  results.records.pop_back();  // quick has no record of it
  CHECK_FALSE(overall_between(results, "time", "quick", "glibc").complete);
  CHECK_FALSE(overall_between(results, "left", "quick", "glibc").summary);
}

TEST_CASE("with a precision asked for, each workload counts with all of its own rounds") {
  Results results = example::results();
  results.asked.request.precision = 0.02;
  // 0.5 times in three rounds, 2 times with some scatter in five.
  for (unsigned round = 0; round < 3; ++round) add(results, "small", round, 100, 50);
  for (const double ns : {1900, 2100, 2000, 1950, 2050})
    add(results, "large", static_cast<unsigned>(results.records.size()), 1000, ns);
  const auto all = overall_of(results);
  const Overall* const time = find(all, "quick", "time");
  REQUIRE(time);
  CHECK(time->complete);
  REQUIRE(time->summary);
  CHECK(time->summary->count == 3);
  CHECK(time->summary->median == Approx(1).epsilon(0.01));
  REQUIRE(time->summary->interval);
  // Half of the root of the sum of both squared half-widths, on logarithms.
  const auto half = [](const Summary& one) { return std::log(one.interval->high / one.interval->low) / 2; };
  const double expected = std::hypot(half(*time->places[0].ratio), half(*time->places[1].ratio)) / 2;
  CHECK(half(*time->summary) == Approx(expected).epsilon(0.02));
}
