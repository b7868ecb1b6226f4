// The plan: which trials, in which order, with which parameters; against made-up workloads.
#include "harness/plan/plan.h"

#include <catch2/catch.hpp>
#include <map>
#include <set>
#include <tuple>

#include "harness/plan/usage_error.h"

using namespace heapmark;
using namespace heapmark::plan;
using Catch::Contains;

namespace {

WorkloadParameter parameter(const std::string& name, const std::string& kind, double min, double max) {
  return {
      .name = name, .kind = kind, .default_value = "1", .choices = "", .help = "", .min = min, .max = max};
}

std::vector<WorkloadInfo> made_up_workloads() {
  WorkloadInfo churn, story;
  churn.name = "churn";
  churn.parameters = {parameter("threads", "count", 1, 64), parameter("live", "bytes", 0, 1e10)};
  churn.variants = {
      {"small-1t", {"speed", "memory", "ledger"}, "threads=1,live=64M", "live=8M", "threads=2", "threads=3"},
      {"small-4t", {"speed", "memory"}, "threads=4,live=64M", "live=8M"}};
  story.name = "story";
  churn.group = story.group = "standard";
  story.parameters = {parameter("repeats", "count", 1, 1e6)};
  story.variants = {{"once", {"speed"}, "", ""}};
  return {churn, story};
}

Selection selection(const std::string& label) {
  Selection one;
  one.label = label;
  one.allocator.name = label;
  one.library = one.preload = "/lib/lib" + label + ".so";
  return one;
}

std::vector<Selection> three() {
  return {selection("a"), selection("b"), selection("c")};
}

Request request(std::vector<std::string> workloads = {}) {
  Request asked;
  asked.workloads = std::move(workloads);
  return asked;
}

std::vector<trial::TrialSpec> planned(const Request& asked) {
  return make_plan(asked, three(), made_up_workloads());
}

std::string value_of(const trial::Pairs& pairs, const std::string& name) {
  for (const auto& [key, value] : pairs)
    if (key == name) return value;
  return "";
}

}  // namespace

TEST_CASE("the plan holds each allocator in each variant, pass and round once") {
  const auto plan = planned(request());
  std::set<std::tuple<std::string, std::string, std::string, std::string, unsigned>> seen;
  for (const auto& spec : plan)
    seen.emplace(spec.allocator, spec.workload, spec.variant, spec.pass, spec.round);
  CHECK(seen.size() == plan.size());
  // three variants with 6 rounds of speed, two with 3 of memory, one with 1 of ledger; three allocators
  CHECK(plan.size() == 3 * (3 * 6 + 2 * 3 + 1));
}

TEST_CASE("ids are the places in the plan") {
  const auto plan = planned(request());
  for (std::size_t i = 0; i < plan.size(); ++i) REQUIRE(plan[i].id == i);
}

TEST_CASE("allocators of one variant, pass and round stand side by side") {
  const auto plan = planned(request());
  for (std::size_t at = 0; at < plan.size(); at += 3) {
    std::set<std::string> allocators;
    for (std::size_t i = at; i < at + 3; ++i) {
      allocators.insert(plan[i].allocator);
      CHECK(plan[i].variant == plan[at].variant);
      CHECK(plan[i].pass == plan[at].pass);
      CHECK(plan[i].round == plan[at].round);
    }
    CHECK(allocators == std::set<std::string>{"a", "b", "c"});
  }
}

TEST_CASE("a round is over before the next begins") {
  unsigned last = 0;
  for (const auto& spec : planned(request())) {
    CHECK(spec.round >= last);
    last = spec.round;
  }
  CHECK(last == 5);
}

TEST_CASE("no allocator always comes first") {
  Request asked = request({"story"});
  asked.rounds.of("speed") = 60;
  std::map<std::string, int> first;
  const auto plan = planned(asked);
  for (std::size_t at = 0; at < plan.size(); at += 3) ++first[plan[at].allocator];
  REQUIRE(first.size() == 3);
  for (const auto& [allocator, times] : first) CHECK(times >= 10);  // 20 expected, spread 3.7
}

TEST_CASE("the same request gives the same plan, another seed another order") {
  Request asked = request();
  CHECK(planned(asked) == planned(asked));
  const auto order = [](const std::vector<trial::TrialSpec>& plan) {
    std::string labels;
    for (const auto& spec : plan) labels += spec.allocator;
    return labels;
  };
  const std::string first = order(planned(asked));
  asked.seed = 2;
  CHECK(order(planned(asked)) != first);
}

TEST_CASE("every trial of a plan does the same work") {
  Request asked = request();
  asked.seed = 77;
  for (const auto& spec : planned(asked)) CHECK(spec.seed == 77);
}

TEST_CASE("the user's values go over those of --quick, and these over the variant's") {
  Request asked = request({"churn/small-4t"});
  CHECK(planned(asked)[0].parameters == trial::Pairs{{"threads", "4"}, {"live", "64M"}});
  CHECK(planned(asked)[0].timeout == std::chrono::seconds(120));
  asked.quick = true;
  CHECK(planned(asked)[0].parameters == trial::Pairs{{"threads", "4"}, {"live", "8M"}});
  CHECK(planned(asked)[0].timeout == std::chrono::seconds(60));
  asked.sets = {{"live", "1G"}};
  CHECK(planned(asked)[0].parameters == trial::Pairs{{"threads", "4"}, {"live", "1G"}});
}

TEST_CASE("a pass does less work where the variant says so, and the user's values go over it") {
  Request asked = request({"churn/small-1t"});
  asked.passes = {"speed", "memory", "ledger"};
  const auto set_in = [&](const std::string& pass, const std::string& name) {
    for (const trial::TrialSpec& spec : planned(asked))
      if (spec.pass == pass) return value_of(spec.parameters, name);
    return std::string("no such trial");
  };
  CHECK(set_in("memory", "threads") == "1");
  CHECK(set_in("ledger", "threads") == "2");
  CHECK(set_in("speed", "threads") == "3");
  CHECK(set_in("ledger", "live") == "64M");
  asked.quick = true;
  CHECK(set_in("ledger", "threads") == "1");
  CHECK(set_in("speed", "threads") == "1");
  CHECK(set_in("ledger", "live") == "8M");
  asked.quick = false;
  asked.sets = {{"threads", "8"}};
  CHECK(set_in("ledger", "threads") == "8");
  CHECK(set_in("speed", "threads") == "8");
}

TEST_CASE("a parameter goes to the workloads that have it") {
  Request asked = request();
  asked.sets = {{"repeats", "5"}};
  for (const auto& spec : planned(asked))
    CHECK(value_of(spec.parameters, "repeats") == (spec.workload == "story" ? "5" : ""));
}

TEST_CASE("a variant named twice is measured once") {
  CHECK(planned(request({"churn", "churn/small-1t"})).size() == planned(request({"churn"})).size());
  CHECK(planned(request({"all"})) == planned(request()));
}

TEST_CASE("only the passes asked for are planned") {
  Request asked = request();
  asked.passes = {"ledger"};
  const auto plan = planned(asked);
  CHECK(plan.size() == 3);
  for (const auto& spec : plan) CHECK(spec.pass == "ledger");
}

TEST_CASE("a skipped allocator gets no trials, and none at all is a usage error that says why") {
  auto selections = three();
  selections[1].skipped = "libb.so is not installed: apt-get install b";
  for (const auto& spec : make_plan(request(), selections, made_up_workloads())) CHECK(spec.allocator != "b");
  for (auto& one : selections) one.skipped = "not installed: apt-get install " + one.label;
  CHECK_THROWS_WITH(make_plan(request(), selections, made_up_workloads()),
                    Contains("b: not installed: apt-get install b"));
}

TEST_CASE("what is not known is refused with what was perhaps meant") {
  CHECK_THROWS_WITH(planned(request({"chrun"})), Contains("did you mean \"churn\""));
  CHECK_THROWS_WITH(planned(request({"churn/smal-1t"})), Contains("did you mean \"small-1t\""));
  Request asked = request();
  asked.passes = {"sped"};
  CHECK_THROWS_WITH(planned(asked), Contains("did you mean \"speed\""));
  asked = request();
  asked.sets = {{"thread", "2"}};
  CHECK_THROWS_WITH(planned(asked), Contains("did you mean \"threads\""));
  asked = request({"story"});
  asked.sets = {{"threads", "2"}};  // known, but to no chosen workload
  CHECK_THROWS_AS(planned(asked), UsageError);
}

TEST_CASE("a value that the workload would refuse is refused before anything is measured") {
  Request asked = request();
  asked.sets = {{"threads", "65"}};
  CHECK_THROWS_WITH(planned(asked), Contains("1 to 64"));
}

TEST_CASE("a plan without trials is a usage error") {
  Request asked = request({"story"});
  asked.passes = {"memory"};
  CHECK_THROWS_WITH(planned(asked), Contains("nothing to measure: story has the passes") &&
                                        Contains("and the run asks for memory"));
}

TEST_CASE("the shards of a plan are the plan, each group in one of them") {
  Request asked = request();
  const auto whole = make_plan(asked, three(), made_up_workloads());
  std::map<std::uint64_t, trial::TrialSpec> together;
  std::map<std::tuple<std::string, std::string, unsigned>, std::set<unsigned>> shards_of_group;
  for (unsigned index = 1; index <= 4; ++index) {
    asked.shard = {index, 4};
    const auto part = make_plan(asked, three(), made_up_workloads());
    CHECK(part.size() < whole.size());
    for (const trial::TrialSpec& spec : part) {
      CHECK(together.emplace(spec.id, spec).second);
      shards_of_group[{spec.variant, spec.pass, spec.round}].insert(index);
    }
  }
  REQUIRE(together.size() == whole.size());
  for (const trial::TrialSpec& spec : whole) CHECK(together.at(spec.id) == spec);
  for (const auto& [group, shards] : shards_of_group) CHECK(shards.size() == 1);
}

TEST_CASE("more rounds leave the earlier ones as they were") {
  Request asked = request();
  asked.rounds = {{"speed", 3}, {"memory", 2}, {"ledger", 1}, {"limit", 1}};
  const auto before = make_plan(asked, three(), made_up_workloads());
  asked.rounds.of("speed") = 7;
  const auto after = make_plan(asked, three(), made_up_workloads());
  REQUIRE(after.size() > before.size());
  CHECK(std::vector(after.begin(), after.begin() + static_cast<std::ptrdiff_t>(before.size())) == before);
}

TEST_CASE("rounds are numbered from the first that was asked for") {
  Request asked = request({"story"});
  asked.first_round = 40;
  const auto plan = make_plan(asked, three(), made_up_workloads());
  CHECK(plan.front().round == 40);
  CHECK(plan.back().round == 45);
}

TEST_CASE("a shard is written I/N") {
  CHECK(parse_shard("2/4") == Shard{2, 4});
  for (const char* const wrong : {"0/4", "5/4", "2", "2/4x", "/", "-1/4"})
    CHECK_THROWS_AS(parse_shard(wrong), UsageError);
}

TEST_CASE("a group stands for the workloads of its folder, and the standard ones are measured by default") {
  auto workloads = made_up_workloads();
  WorkloadInfo fifo = workloads[1];
  fifo.name = "fifo";
  fifo.group = "patterns";
  workloads.push_back(fifo);
  const auto names = [&](std::vector<std::string> written) {
    std::set<std::string> seen;
    for (const auto& spec : make_plan(request(std::move(written)), three(), workloads))
      seen.insert(spec.workload);
    return seen;
  };
  CHECK(names({"patterns"}) == std::set<std::string>{"fifo"});
  CHECK(names({"patterns", "story"}) == std::set<std::string>{"fifo", "story"});
  CHECK(names({}) == std::set<std::string>{"churn", "story"});
  CHECK(names({"all"}) == std::set<std::string>{"churn", "story", "fifo"});
  CHECK_THROWS_WITH(names({"paterns"}), Contains("did you mean \"patterns\""));
}
