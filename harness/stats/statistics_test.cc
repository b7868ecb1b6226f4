#include "harness/stats/statistics.h"

#include <catch2/catch.hpp>
#include <limits>

#include "harness/record/example_results.h"

using namespace heapmark;
using namespace heapmark::record;
using namespace heapmark::stats;

namespace {

const Statistic* find(const std::vector<Statistic>& all, std::string_view metric,
                      std::string_view allocator) {
  for (const Statistic& one : all)
    if (one.metric == metric && one.allocator == allocator) return &one;
  return nullptr;
}

}  // namespace

TEST_CASE("a ratio pairs the values of the same round, worked by hand") {
  Results results = example::results();
  // In each round exactly half, though the machine slowed down threefold between the rounds.
  for (const auto& [round, ns] : {std::pair{0U, 100.0}, {1U, 200.0}, {2U, 300.0}}) {
    results.records.push_back(example::record("quick", "speed", round, {{"ns_per_op", ns / 2}}));
    results.records.push_back(example::record("glibc", "speed", round, {{"ns_per_op", ns}}));
  }
  const auto statistics = statistics_of(results, kDefaultMargin);
  const Statistic* quick = find(statistics, "ns_per_op", "quick");
  REQUIRE(quick);
  CHECK(quick->summary->median == 100.0);
  REQUIRE(quick->ratio);
  CHECK(quick->ratio->baseline == "glibc");
  CHECK(quick->ratio->summary.median == Approx(0.5));
  CHECK(quick->ratio->summary.interval->low == Approx(0.5).epsilon(0.03));
  CHECK(quick->ratio->summary.interval->high == Approx(0.5).epsilon(0.03));
  CHECK(quick->ratio->verdict == stats::Verdict::kBetter);
  CHECK_FALSE(find(statistics, "ns_per_op", "glibc")->ratio);
}

TEST_CASE("a failed trial is counted, explained and gives no number") {
  Results results = example::results();
  results.records.push_back(example::record("glibc", "speed", 0, {{"ns_per_op", 100}}));
  results.records.push_back(
      example::failed("quick", "speed", 0, trial::Outcome::kCrashed, "killed by SIGSEGV"));
  const auto statistics = statistics_of(results, kDefaultMargin);
  const Statistic* quick = find(statistics, "ns_per_op", "quick");
  REQUIRE(quick);
  CHECK(quick->failed == 1);
  CHECK(quick->failure == "crashed: killed by SIGSEGV");
  CHECK_FALSE(quick->summary);
  CHECK_FALSE(quick->ratio);
  const json as_json = stats::to_json(*quick);
  CHECK(as_json.at("count") == 0);
  CHECK_FALSE(as_json.contains("median"));
}

TEST_CASE("a round in which one of the two failed is left out of the ratio, not of the median") {
  Results results = example::results();
  results.records.push_back(example::record("glibc", "speed", 0, {{"ns_per_op", 100}}));
  results.records.push_back(example::record("glibc", "speed", 1, {{"ns_per_op", 100}}));
  results.records.push_back(example::record("quick", "speed", 1, {{"ns_per_op", 300}}));
  results.records.push_back(example::failed("quick", "speed", 0, trial::Outcome::kTimedOut, ""));
  const auto statistics = statistics_of(results, kDefaultMargin);
  const Statistic* quick = find(statistics, "ns_per_op", "quick");
  REQUIRE(quick);
  CHECK(quick->failed == 1);
  CHECK(quick->summary->count == 1);
  CHECK(quick->ratio->summary.count == 1);
  CHECK(quick->ratio->summary.median == Approx(3.0));
  CHECK(quick->ratio->verdict == stats::Verdict::kCannotTell);
}

TEST_CASE("what the machine could not tell is counted as not measured, never as zero") {
  Results results = example::results();
  results.records.push_back(
      example::record("glibc", "ledger", 0, {{"trims", std::numeric_limits<double>::quiet_NaN()}}));
  const auto statistics = statistics_of(results, kDefaultMargin);
  const Statistic* trims = find(statistics, "trims", "glibc");
  REQUIRE(trims);
  CHECK(trims->not_measured == 1);
  CHECK(trims->failed == 0);
  CHECK_FALSE(trims->summary);
}

TEST_CASE("a figure that only one allocator can tell has a row for that one alone") {
  Results results = example::results();
  results.records.push_back(example::record("glibc", "ledger", 0, {{"trims", 0}}));
  results.records.push_back(example::record("quick", "ledger", 0, {{"trims", 2}, {"own_trims", 2}}));
  const auto statistics = statistics_of(results, kDefaultMargin);
  CHECK_FALSE(find(statistics, "own_trims", "glibc"));
  REQUIRE(find(statistics, "own_trims", "quick"));
  // 2 against 0 has no ratio
  CHECK_FALSE(find(statistics, "trims", "quick")->ratio);
}

TEST_CASE("a metric of several passes is shown from the one that asks for it") {
  Results results = example::results();
  results.metrics["churn"].push_back({"minor_faults", "count", "lower", "", {"speed", "memory"}, true});
  results.metrics["churn"][0].passes = {"speed", "memory"};
  for (const char* pass : {"speed", "memory"})
    results.records.push_back(example::record("glibc", pass, 0, {{"ns_per_op", 9}, {"minor_faults", 4}}));
  std::vector<std::string> shown;
  for (const Statistic& one : statistics_of(results, kDefaultMargin))
    if (one.shown && one.summary) shown.push_back(one.metric + " from " + one.pass);
  CHECK(shown == std::vector<std::string>{"ns_per_op from speed", "minor_faults from memory"});
}

TEST_CASE("a ratio is never formed across two hosts") {
  Results results = example::results();
  // The same round number on both: paired by number alone quick would look 3 times as slow on one of them.
  for (const auto& [host, ns] : {std::pair{"one", 100.0}, {"two", 300.0}})
    for (const auto& [label, factor] : {std::pair{"glibc", 1.0}, {"quick", 0.5}}) {
      results.records.push_back(example::record(label, "speed", 0, {{"ns_per_op", factor * ns}}));
      results.records.back().host = host;
    }
  const auto statistics = statistics_of(results, kDefaultMargin);
  const Statistic* quick = find(statistics, "ns_per_op", "quick");
  REQUIRE(quick);
  REQUIRE(quick->ratio);
  CHECK(quick->ratio->summary.count == 2);
  CHECK(quick->ratio->summary.min == Approx(0.5));
  CHECK(quick->ratio->summary.max == Approx(0.5));
}
