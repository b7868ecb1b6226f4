// What --vary means, and how a grid is thinned to a time.
#include "harness/plan/vary.h"

#include <catch2/catch.hpp>

#include "harness/plan/budget.h"
#include "harness/plan/usage_error.h"

using namespace heapmark;
using namespace heapmark::plan;
using Catch::Contains;
using Strings = std::vector<std::string>;

namespace {

Allocator made_up() {
  Allocator row;
  row.name = "made";
  row.style = "list";
  const auto add = [&](const char* name, const char* type, const char* unit, double low, double high) {
    Tunable tunable;
    tunable.name = name;
    tunable.type = type;
    tunable.unit = unit;
    tunable.default_value = std::string(type) == "boolean" ? "false" : "0";
    if (low < high) tunable.range = {low, high};
    row.tunables.push_back(tunable);
  };
  add("mmap_threshold", "bytes", "bytes", 4096, 33554432);
  add("decay", "integer", "ms", -1, 600000);
  add("arenas", "integer", "", 1, 1024);
  add("retain", "boolean", "", 0, 0);
  return row;
}

Strings values(std::string_view written) {
  return parse_vary(written, made_up()).values;
}

}  // namespace

TEST_CASE("values of a tunable are listed, multiplied, added and doubled") {
  CHECK(values("mmap_threshold=32K..32M*4") == Strings{"32K", "128K", "512K", "2M", "8M", "32M"});
  CHECK(values("mmap_threshold=64K,100K..300K+100K,1M") == Strings{"64K", "100K", "200K", "300K", "1M"});
  CHECK(values("arenas=1..8") == Strings{"1", "2", "4", "8"});
  CHECK(values("decay=-1,0,100ms..1s*10,10s") == Strings{"-1", "0", "100ms", "1000ms", "10s"});
  CHECK(values("retain=on,off") == Strings{"on", "off"});
  CHECK(values("mmap_threshold=1M..3M*4") == Strings{"1M"});
}

TEST_CASE("what cannot be varied is told with what can") {
  const auto complaint = [](std::string_view written) -> std::string {
    try {
      static_cast<void>(values(written));
    } catch (const UsageError& error) {
      return error.what();
    }
    return "accepted";
  };
  CHECK_THAT(complaint("mmap_treshold=1M"),
             Contains("did you mean \"mmap_threshold\"") && Contains("arenas"));
  CHECK_THAT(complaint("mmap_threshold=32..64K"), Contains("32 of which unit? Write 32B, 32K or 32M"));
  CHECK_THAT(complaint("decay=100"), Contains("100 of which unit? Write 100ms or 100s"));
  CHECK_THAT(complaint("mmap_threshold=1K,1M"), Contains("out of range, 4096 to 33554432 bytes"));
  CHECK_THAT(complaint("mmap_threshold=1M..32K*2"), Contains("ends before it begins"));
  CHECK_THAT(complaint("mmap_threshold=32K..32M*1"), Contains("F above 1"));
  CHECK_THAT(complaint("arenas=0..8*2"), Contains("A above 0"));
  CHECK_THAT(complaint("mmap_threshold=1M,1024K"), Contains("twice"));
  CHECK_THAT(complaint("arenas=1..1024+1"), Contains("more than 64"));
  CHECK_THAT(complaint("mmap_threshold"), Contains("NAME=VALUE"));
  Allocator bare;
  bare.name = "bare";
  CHECK_THROWS_WITH(allocator_to_vary("bare", {bare}), Contains("bare has no tunables"));
  CHECK_THROWS_WITH(allocator_to_vary("mad", {made_up()}), Contains("did you mean \"made\""));
  CHECK_THROWS_WITH(allocator_to_vary("made,made", {made_up()}), Contains("one allocator"));
}

TEST_CASE("a grid is the defaults and every combination, on top of what the base sets") {
  const std::vector<Varied> varied{{"a", {"1", "2"}}, {"b", {"x", "y"}}};
  CHECK(grid_of("made", varied) ==
        Strings{"made", "made[a=1,b=x]", "made[a=1,b=y]", "made[a=2,b=x]", "made[a=2,b=y]"});
  CHECK(grid_of("made[c=0]", {{"a", {"1"}}}) == Strings{"made[c=0]", "made[c=0,a=1]"});
}

TEST_CASE("thinning keeps the ends of the longest axis") {
  std::vector<Varied> varied{{"a", {"1", "2", "3", "4", "5", "6", "7"}}, {"b", {"x", "y", "z", "w"}}};
  CHECK(thin(varied));
  CHECK(varied[0].values == Strings{"1", "3", "5", "7"});
  CHECK(thin(varied));
  CHECK(varied[0].values == Strings{"1", "5", "7"});
  while (thin(varied)) continue;
  CHECK(varied == std::vector<Varied>{{"a", {"1", "7"}}, {"b", {"x", "w"}}});
}

TEST_CASE("a budget takes rounds first, then values, worked by hand") {
  const std::vector<Varied> grid{{"a", {"1", "2", "3", "4"}}};  // 5 settings with the defaults
  const RoundCost cost{{"speed", 1}, {"memory", 1}, {"ledger", 2}};
  const Rounds six{{"speed", 6}, {"memory", 3}, {"ledger", 1}, {"limit", 1}};
  CHECK(fit(grid, six, cost, 1000).seconds == 55);  // 5 x (6 + 3 + 2)
  const Fitted fewer_rounds = fit(grid, six, cost, 41);
  CHECK(fewer_rounds.rounds == Rounds{{"speed", 3}, {"memory", 3}, {"ledger", 1}, {"limit", 1}});
  CHECK(fewer_rounds.seconds == 40);
  CHECK(fewer_rounds.varied == grid);
  const Fitted fewer_values = fit(grid, six, cost, 25);
  CHECK(fewer_values.rounds == Rounds{{"speed", 3}, {"memory", 1}, {"ledger", 1}, {"limit", 1}});
  CHECK(fewer_values.seconds == 24);  // 4 x (3 + 1 + 2)
  CHECK(fewer_values.varied[0].values == Strings{"1", "3", "4"});
  CHECK_FALSE(fit(grid, six, cost, 1).fits);
}
