// What `heapmark-host describe` says, read from made-up texts.
#include "harness/plan/workload_list.h"

#include <algorithm>
#include <catch2/catch.hpp>

using namespace heapmark::plan;
using Catch::Contains;

namespace {

constexpr const char* kDescribed = R"({
  "workloads": [{
    "name": "churn", "group": "standard", "summary": "a server",
    "parameters": [{"name": "threads", "kind": "count", "default": "1", "choices": "", "min": 1, "max": 64,
                    "help": "how many"}],
    "variants": [{"name": "small-1t", "passes": ["speed", "memory"], "sets": "threads=1", "quick_sets": "", "ledger_sets": "",
                  "speed_sets": ""}],
    "metrics": [{"name": "own", "unit": "ratio", "better": "lower", "passes": ["memory"], "headline": true,
                 "help": "its own"},
                {"name": "told", "unit": "count", "better": "neither", "passes": [], "headline": false,
                 "help": "where the allocator tells"}]
  }],
  "common_metrics": [{"name": "ns_per_op", "unit": "ns", "better": "lower", "passes": ["speed"], "headline": true,
                      "help": "time"}]
})";

std::vector<std::string> names(const std::vector<const Metric*>& metrics) {
  std::vector<std::string> all;
  for (const Metric* const metric : metrics) all.push_back(metric->name);
  return all;
}

std::string without(std::string text, const std::string& part) {
  const std::size_t at = text.find(part);
  REQUIRE(at != std::string::npos);
  return text.erase(at, part.size());
}

}  // namespace

TEST_CASE("a workload is read with its parameters, variants and metrics") {
  const auto workloads = parse_workloads(kDescribed);
  REQUIRE(workloads.size() == 1);
  const WorkloadInfo& churn = workloads[0];
  CHECK(churn.name == "churn");
  CHECK(churn.group == "standard");
  CHECK(churn.summary == "a server");
  REQUIRE(churn.parameters.size() == 1);
  CHECK(churn.parameters[0].kind == "count");
  CHECK(churn.parameters[0].default_value == "1");
  CHECK(churn.parameters[0].max == 64);
  REQUIRE(churn.variants.size() == 1);
  CHECK(churn.variants[0].passes == std::vector<std::string>{"speed", "memory"});
  CHECK(churn.variants[0].sets == "threads=1");
  REQUIRE(churn.metrics.size() > 3);
  CHECK(churn.metrics[0].name == "own");
  CHECK(churn.metrics[0].headline);
  CHECK(churn.metrics[2].name == "ns_per_op");
}

TEST_CASE(
    "a trial must report the metrics of its pass, and those that only some allocators can tell in none") {
  const auto workloads = parse_workloads(kDescribed);
  CHECK(names(expected_metrics(workloads[0], "speed")) == std::vector<std::string>{"ns_per_op"});
  CHECK(names(expected_metrics(workloads[0], "memory")) == std::vector<std::string>{"own"});
  CHECK(names(expected_metrics(workloads[0], "limit")).empty());
}

TEST_CASE("the ledger's counts belong to every workload") {
  const auto workloads = parse_workloads(kDescribed);
  const auto expected = names(expected_metrics(workloads[0], "ledger"));
  for (const char* name : {"trims", "trim_bytes", "purges", "purge_bytes", "releases", "release_bytes"}) {
    CAPTURE(name);
    CHECK(std::count(expected.begin(), expected.end(), name) == 1);
  }
}

TEST_CASE("a description that is not as expected is refused with the place") {
  CHECK_THROWS_WITH(parse_workloads("not json"), Contains("heapmark-host describe"));
  CHECK_THROWS_WITH(parse_workloads("{}"), Contains("workloads"));
  CHECK_THROWS_WITH(parse_workloads(without(kDescribed, "\"kind\": \"count\", ")),
                    Contains("workloads[0].parameters[0]: kind"));
  CHECK_THROWS_WITH(parse_workloads(without(kDescribed, "\"unit\": \"ns\", ")),
                    Contains("common_metrics[0]: unit"));
}
