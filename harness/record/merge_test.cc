// Results files joined: shards of one plan, and runs whose rounds are numbered apart.
#include "harness/record/merge.h"

#include <catch2/catch.hpp>

#include "harness/plan/usage_error.h"
#include "harness/record/example_results.h"

using namespace heapmark;
using namespace heapmark::record;
using Catch::Contains;

namespace {

// One round, measured on `host`: quick takes `ratio` times glibc's time.
Part part(const std::string& name, const std::string& host, unsigned round, std::uint64_t first_id, double ns,
          double ratio) {
  Part one{name, example::results()};
  one.results.context["host_name"] = host;
  for (const auto& [label, value] : {std::pair{"glibc", ns}, {"quick", ns * ratio}}) {
    Record record = example::record(label, "speed", round, {{"ns_per_op", value}});
    record.spec.id = first_id++;
    record.host = host;
    one.results.records.push_back(record);
  }
  return one;
}

Part shard(unsigned index, unsigned count, Part one) {
  one.results.asked.request.shard = {index, count};
  return one;
}

}  // namespace

TEST_CASE("shards come back in the order of the plan, whatever the order of the files") {
  std::vector<std::string> missing;
  const Results all =
      merge({shard(2, 2, part("b", "two", 1, 2, 300, 0.5)), shard(1, 2, part("a", "one", 0, 0, 100, 0.5))},
            false, missing);
  CHECK(missing.empty());
  REQUIRE(all.records.size() == 4);
  for (std::uint64_t id = 0; id < 4; ++id) CHECK(all.records[id].spec.id == id);
  CHECK(all.asked.request.shard == plan::Shard{});
  CHECK(all.records[0].host == "one");
  CHECK(all.records[3].host == "two");
  CHECK(all.context["merged"].size() == 2);
}

TEST_CASE("a shard that is not there is named") {
  std::vector<std::string> missing;
  static_cast<void>(
      merge({shard(1, 3, part("a", "one", 0, 0, 100, 1)), shard(3, 3, part("c", "one", 2, 4, 100, 1))}, false,
            missing));
  CHECK(missing == std::vector<std::string>{"shard 2/3"});
}

TEST_CASE("the same trial twice is refused, with both files named") {
  std::vector<std::string> missing;
  CHECK_THROWS_WITH(merge({part("first.json", "one", 0, 0, 100, 1), part("second.json", "one", 0, 0, 100, 1)},
                          false, missing),
                    Contains("first.json") && Contains("second.json") && Contains("round 0"));
}

TEST_CASE("other builds of a library or of heapmark are refused") {
  std::vector<std::string> missing;
  Part other = part("b", "one", 1, 2, 100, 1);
  other.results.allocators[0].build_id = "beef";
  CHECK_THROWS_WITH(merge({part("a", "one", 0, 0, 100, 1), other}, false, missing),
                    Contains("cannot be merged"));
  Part newer = part("b", "one", 1, 2, 100, 1);
  newer.results.heapmark_version = "9";
  CHECK_THROWS_WITH(merge({part("a", "one", 0, 0, 100, 1), newer}, false, missing),
                    Contains("heapmark 0.1.0, b by 9"));
}

TEST_CASE("each record keeps the host that measured it") {
  std::vector<std::string> missing;
  Part one = part("a", "one", 0, 0, 100, 0.5), two = part("b", "two", 0, 0, 300, 0.5);
  two.results.asked.request.seed = 2;
  const Results all = merge({one, two}, false, missing);
  CHECK(all.records.back().spec.id == 3);
  CHECK(all.records.front().host == "one");
  CHECK(all.records.back().host == "two");
}

TEST_CASE("runs of different allocators make one file, without their tables if asked") {
  Part other = part("b", "one", 1, 0, 100, 1);
  other.results.allocators[1].label = "quick[x=1]";
  other.results.records[1].spec.allocator = "quick[x=1]";
  other.results.records[1].result.tables["samples"] = {};
  std::vector<std::string> missing;
  const Results all = merge({part("a", "one", 0, 0, 100, 1), other}, true, missing);
  CHECK(all.allocators.size() == 4);
  CHECK_THAT(all.asked.allocators, Contains("quick[x=1]"));
  CHECK(all.records.back().result.tables.empty());
}
