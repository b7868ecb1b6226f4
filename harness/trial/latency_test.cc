// The latency pass as a whole: that it times each call of a workload once, and that it finds the slow calls
// of an allocator whose slow calls are known. No test here compares times; a sleep is known by its context
// switch.
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>

#include "harness/trial/process_executor.h"

using namespace heapmark::trial;

namespace {

const std::string kBuild = std::getenv("HEAPMARK_BUILD_DIR");

TrialResult run(const std::string& library, const std::string& workload, Pairs parameters,
                const std::string& pass = "latency") {
  TrialSpec spec;
  spec.preload = spec.library = kBuild + "/" + library;
  spec.workload = workload;
  spec.pass = pass;
  spec.parameters = std::move(parameters);
  TrialResult result = ProcessExecutor(kBuild + "/heapmark-host").run(spec);
  CAPTURE(library, workload, result.message);
  REQUIRE(result.outcome == Outcome::kOk);
  return result;
}

double cell(const Table& table, std::size_t row, const std::string& column) {
  for (std::size_t at = 0; at < table.columns.size(); ++at)
    if (table.columns[at] == column) return table.rows.at(row).at(at);
  FAIL("no column " << column);
  return 0;
}

double sum_of(const Table& table, const std::string& column) {
  double sum = 0;
  for (std::size_t row = 0; row < table.rows.size(); ++row) sum += cell(table, row, column);
  return sum;
}

}  // namespace

TEST_CASE("every request and every free of a workload is timed once") {
  const std::pair<const char*, Pairs> works[] = {{"tutorial", {{"repeats", "500"}}},
                                                 {"threads", {{"threads", "40"}}}};
  const double calls[] = {500 * 12, 40 * 64 * 2};
  for (int at = 0; at < 2; ++at) {
    const TrialResult result = run("libbrkmmap.so", works[at].first, works[at].second);
    CHECK(result.metrics.at("timed_calls") == calls[at]);
    CHECK(sum_of(result.tables.at("latency_buckets"), "calls") == calls[at]);
    const Table& classes = result.tables.at("latency");
    CHECK(sum_of(classes, "calls") + sum_of(classes, "preempted") == calls[at]);
    CHECK(result.metrics.at("clock_cost_ns") > 0);
  }
}

TEST_CASE("the slow calls of an allocator are found, and what was in them") {
  const TrialResult result = run("libheapmark-staller.so", "tutorial", {{"repeats", "1000"}});
  // 6000 mallocs: six sleep, six map a page and touch it
  const Table& stalls = result.tables.at("stalls");
  int slept = 0;
  for (std::size_t row = 0; row < stalls.rows.size(); ++row) {
    CHECK(cell(stalls, row, "ns") > 100'000);
    if (cell(stalls, row, "voluntary_switches") < 1) continue;
    ++slept;
    CHECK(cell(stalls, row, "call") == 0);
    CHECK(cell(stalls, row, "ns") >= 300'000);
  }
  CHECK(slept == 6);
  CHECK(result.metrics.at("stalls") + result.metrics.at("preempted_calls") >= 6);
  CHECK(result.metrics.at("faulted_calls") + result.metrics.at("preempted_calls") >= 6);
  CHECK(std::isnan(result.metrics.at("p9999_ns")));  // of 12,000 calls, one lies beyond
  CHECK(result.metrics.at("p50_ns") > 0);
}

TEST_CASE("changes of the address space are told of one thread and not of several") {
  const TrialResult alone = run("libheapmark-staller.so", "tutorial", {{"repeats", "500"}});
  for (std::size_t row = 0; row < alone.tables.at("stalls").rows.size(); ++row)
    CHECK_FALSE(std::isnan(cell(alone.tables.at("stalls"), row, "address_change")));
  const TrialResult several = run("libheapmark-staller.so", "threads", {{"threads", "80"}});
  const Table& stalls = several.tables.at("stalls");
  REQUIRE(!stalls.rows.empty());  // 5120 mallocs
  for (std::size_t row = 0; row < stalls.rows.size(); ++row)
    CHECK(std::isnan(cell(stalls, row, "address_change")));
}

TEST_CASE("the other passes time no calls") {
  const TrialResult result = run("libbrkmmap.so", "tutorial", {{"repeats", "10"}}, "speed");
  CHECK(result.tables.count("latency") == 0);
  CHECK(result.metrics.count("timed_calls") == 0);
}
