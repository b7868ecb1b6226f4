#include "harness/plan/rounds.h"

#include <catch2/catch.hpp>
#include <set>

#include "harness/plan/usage_error.h"

using namespace heapmark;
using namespace heapmark::plan;

TEST_CASE("each pass of the table has a name, a bit and a rank of its own") {
  std::set<std::string> names;
  std::set<int> times, others;
  unsigned mask = 0;
  for (const PassInfo& pass : kPassTable) {
    names.insert(pass.name);
    times.insert(pass.times_rank);
    others.insert(pass.others_rank);
    CHECK((mask & pass.pass) == 0);
    mask |= pass.pass;
    CHECK(pass.rounds >= pass.quick_rounds);
    CHECK(pass.quick_rounds >= 1);
  }
  CHECK(mask == kEveryPass);
  CHECK(names.size() == kPassCount);
  CHECK(times.size() == kPassCount);
  CHECK(others.size() == kPassCount);
}

TEST_CASE("a number of rounds stands for the passes that grow, and limits the others") {
  CHECK(parse_rounds("", false) == default_rounds(false));
  CHECK(parse_rounds("", true) == default_rounds(true));
  CHECK(parse_rounds("10", false) ==
        Rounds{{"speed", 10}, {"memory", 3}, {"ledger", 1}, {"limit", 1}, {"latency", 3}, {"pressure", 10}});
  CHECK(parse_rounds("2", false) ==
        Rounds{{"speed", 2}, {"memory", 2}, {"ledger", 1}, {"limit", 1}, {"latency", 2}, {"pressure", 2}});
  CHECK(parse_rounds("5", true) ==
        Rounds{{"speed", 5}, {"memory", 2}, {"ledger", 1}, {"limit", 1}, {"latency", 1}, {"pressure", 5}});
}

TEST_CASE("rounds by name change those passes alone, and are read back as written") {
  const Rounds rounds = parse_rounds("memory=7,limit=0", false);
  CHECK(rounds ==
        Rounds{{"speed", 6}, {"memory", 7}, {"ledger", 1}, {"limit", 0}, {"latency", 3}, {"pressure", 3}});
  CHECK(parse_rounds(written(rounds), true) == rounds);
}

TEST_CASE("rounds that make no sense are refused with what would") {
  CHECK_THROWS_AS(parse_rounds("0", false), UsageError);
  CHECK_THROWS_AS(parse_rounds("many", false), UsageError);
  CHECK_THROWS_AS(parse_rounds("1001", false), UsageError);
  CHECK_THROWS_AS(parse_rounds("speed=0,memory=0,ledger=0,limit=0,latency=0,pressure=0", false), UsageError);
  CHECK_THROWS_WITH(parse_rounds("sped=3", false), Catch::Matchers::Contains("did you mean \"speed\""));
}

TEST_CASE("a resumed run goes on with the passes that took part in its last round") {
  const Rounds before{{"speed", 3}, {"memory", 3}, {"ledger", 1}, {"limit", 1}};
  CHECK(more_rounds(before, "9") == Rounds{{"speed", 9}, {"memory", 3}, {"ledger", 1}, {"limit", 1}});
  CHECK(more_rounds(before, "speed=2,memory=8,ledger=8") ==
        Rounds{{"speed", 3}, {"memory", 8}, {"ledger", 1}, {"limit", 1}});
}

TEST_CASE("the help names every pass with its rounds") {
  for (const std::string& name : pass_names()) CHECK_THAT(rounds_help(), Catch::Matchers::Contains(name));
}
