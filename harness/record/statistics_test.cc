#include "harness/record/statistics.h"

#include <catch2/catch.hpp>
#include <limits>

#include "harness/record/benchmark_rows.h"
#include "harness/record/example_results.h"

using namespace heapmark;
using namespace heapmark::record;

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
  const auto statistics = statistics_of(results);
  const Statistic* quick = find(statistics, "ns_per_op", "quick");
  REQUIRE(quick);
  CHECK(quick->summary->median == 100.0);
  REQUIRE(quick->ratio);
  CHECK(quick->ratio->baseline == "glibc");
  CHECK(quick->ratio->summary.median == Approx(0.5));
  CHECK(quick->ratio->summary.interval->low == Approx(0.5));
  CHECK(quick->ratio->summary.interval->high == Approx(0.5));
  CHECK(quick->ratio->verdict == stats::Verdict::kBetter);
  CHECK_FALSE(find(statistics, "ns_per_op", "glibc")->ratio);
}

TEST_CASE("a failed trial is counted, explained and gives no number") {
  Results results = example::results();
  results.records.push_back(example::record("glibc", "speed", 0, {{"ns_per_op", 100}}));
  results.records.push_back(
      example::failed("quick", "speed", 0, trial::Outcome::kCrashed, "killed by SIGSEGV"));
  const auto statistics = statistics_of(results);
  const Statistic* quick = find(statistics, "ns_per_op", "quick");
  REQUIRE(quick);
  CHECK(quick->failed == 1);
  CHECK(quick->failure == "crashed: killed by SIGSEGV");
  CHECK_FALSE(quick->summary);
  CHECK_FALSE(quick->ratio);
  const json as_json = to_json(*quick);
  CHECK(as_json.at("count") == 0);
  CHECK_FALSE(as_json.contains("median"));
}

TEST_CASE("a round in which one of the two failed is left out of the ratio, not of the median") {
  Results results = example::results();
  results.records.push_back(example::record("glibc", "speed", 0, {{"ns_per_op", 100}}));
  results.records.push_back(example::record("glibc", "speed", 1, {{"ns_per_op", 100}}));
  results.records.push_back(example::record("quick", "speed", 1, {{"ns_per_op", 300}}));
  results.records.push_back(example::failed("quick", "speed", 0, trial::Outcome::kTimedOut, ""));
  const auto statistics = statistics_of(results);
  const Statistic* quick = find(statistics, "ns_per_op", "quick");
  REQUIRE(quick);
  CHECK(quick->failed == 1);
  CHECK(quick->summary->count == 1);
  CHECK(quick->ratio->summary.count == 1);
  CHECK(quick->ratio->summary.median == 3.0);
  CHECK(quick->ratio->verdict == stats::Verdict::kUndecided);
}

TEST_CASE("what the machine could not tell is counted as not measured, never as zero") {
  Results results = example::results();
  results.records.push_back(
      example::record("glibc", "ledger", 0, {{"trims", std::numeric_limits<double>::quiet_NaN()}}));
  const auto statistics = statistics_of(results);
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
  const auto statistics = statistics_of(results);
  CHECK_FALSE(find(statistics, "own_trims", "glibc"));
  REQUIRE(find(statistics, "own_trims", "quick"));
  // 2 against 0 has no ratio
  CHECK_FALSE(find(statistics, "trims", "quick")->ratio);
}

TEST_CASE("Google Benchmark's rows hold the speed trials and every failure") {
  Results results = example::results();
  results.records.push_back(
      example::record("glibc", "speed", 0, {{"ns_per_op", 100}, {"cpu_ns_per_op", 90}}));
  results.records.push_back(example::record("glibc", "memory", 0, {{"rss_peak_bytes", 4096}}));
  results.records.push_back(
      example::failed("quick", "memory", 0, trial::Outcome::kOutOfMemory, "1 GiB refused"));
  const auto rows = benchmark_rows(results);
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].at("name") == "churn/small/speed/glibc");
  CHECK(rows[0].at("real_time") == 100);
  CHECK(rows[0].at("cpu_time") == 90);
  CHECK(rows[0].at("time_unit") == "ns");
  CHECK(rows[0].at("threads") == 4);
  CHECK(rows[1].at("error_occurred") == true);
  CHECK(rows[1].at("error_message") == "out of memory: 1 GiB refused");
}
