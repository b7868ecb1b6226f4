#include "harness/record/benchmark_rows.h"

#include <catch2/catch.hpp>

#include "harness/record/example_results.h"

using namespace heapmark;
using namespace heapmark::record;

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
