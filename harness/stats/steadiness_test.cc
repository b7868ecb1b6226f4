// From when on a series is steady, worked by hand, and from a trial's tables.
#include "harness/stats/steadiness.h"

#include <catch2/catch.hpp>

using namespace heapmark;
using namespace heapmark::stats;

namespace {

// Samples as the memory pass takes them: 40 of the fill, then `held` one by one, each a thousand operations
// and `step_ns` after the one before, then one after everything is freed.
trial::TrialResult sampled(const std::vector<double>& held, const std::vector<double>& step_ns) {
  trial::TrialResult result;
  result.phases = {"fill", "work", "free all"};
  trial::Table& table = result.tables["samples"];
  table.columns = {"operation", "time_ns", "rss_bytes", "phase"};
  for (int at = 0; at < 40; ++at) table.rows.push_back({0, 0, 1.0 * at, 0});
  double time = 0;
  for (std::size_t at = 0; at < held.size(); ++at)
    table.rows.push_back({1000.0 * static_cast<double>(at), time += step_ns[at], held[at], 1});
  table.rows.push_back({1e6, 1e9, 0, 2});
  return result;
}

}  // namespace

TEST_CASE("a series is steady from where it stays within the tolerance of its last quarter's mean") {
  const std::vector<double> settles{50, 70, 90, 99, 101, 100, 99, 101, 100, 100, 100, 100};
  CHECK(steady_from(settles, 0.02).value() == Approx(3.0 / 12));
  CHECK(steady_from(settles, 0.2).value() == Approx(2.0 / 12));
  CHECK_FALSE(steady_from(std::vector<double>{10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120}, 0.02));
  CHECK(steady_from(std::vector<double>(8, 5.0), 0.02).value() == 0);
}

TEST_CASE("of fewer than eight values nothing is said") {
  CHECK_FALSE(steady_from(std::vector<double>(7, 5.0), 0.02));
  CHECK_FALSE(steadiness_of({}).rss_from);
  CHECK_FALSE(steadiness_of({}).time_from);
}

TEST_CASE("memory that swings within a unit is steady, memory that creeps is not") {
  std::vector<double> swings, creeps;
  for (int at = 0; at < 200; ++at) {
    swings.push_back(at % 2 == 0 ? 100 : 200);
    creeps.push_back(100 + at);
  }
  const std::vector<double> even(200, 10.0);
  CHECK(steadiness_of(sampled(swings, even)).rss_from.value() == 0);
  CHECK_FALSE(steadiness_of(sampled(creeps, even)).rss_from);
}

TEST_CASE("times are those between samples, the fill and the end left out") {
  std::vector<double> step_ns(200, 100.0);
  for (int at = 0; at < 50; ++at) step_ns[static_cast<std::size_t>(at)] = 300;  // a quarter warms up
  const Steadiness steadiness = steadiness_of(sampled(std::vector<double>(200, 7.0), step_ns));
  CHECK(steadiness.rss_from.value() == 0);
  CHECK(steadiness.time_from.value() == Approx(5.0 / 20));
}

TEST_CASE("times of the speed pass are those of its slices, a unit each alike") {
  trial::TrialResult result;
  trial::Table& table = result.tables["slices"];
  table.columns = {"first_unit", "units", "cpu_ns"};
  for (int at = 0; at < 40; ++at) table.rows.push_back({10.0 * at, 10, at < 10 ? 500.0 : 100.0});
  table.rows.back() = {400, 5, 50};  // the last slice is shorter
  CHECK(steadiness_of(result).time_from.value() == Approx(5.0 / 20));
  CHECK_FALSE(steadiness_of(result).rss_from);
}
