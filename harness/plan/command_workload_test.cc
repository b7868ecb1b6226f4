#include "harness/plan/command_workload.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "harness/plan/plan.h"
#include "harness/plan/usage_error.h"

using namespace heapmark;
using namespace heapmark::plan;
using Catch::Contains;

namespace {

trial::Command command(const std::string& program) {
  trial::Command made;
  made.words = {program, "-x"};
  return made;
}

std::vector<Selection> two_allocators() {
  std::vector<Selection> both(2);
  both[0].label = both[0].allocator.name = "glibc";
  both[1].label = both[1].allocator.name = "mine";
  for (Selection& one : both) one.library = one.preload = "/lib/" + one.label;
  return both;
}

bool has(const WorkloadInfo& info, const std::string& metric) {
  return std::any_of(info.metrics.begin(), info.metrics.end(),
                     [&](const Metric& one) { return one.name == metric; });
}

}  // namespace

TEST_CASE("the work is named by the program's base name, or as asked") {
  CHECK(command_name(command("/usr/bin/app"), "") == "app");
  CHECK(command_name(command("app"), "") == "app");
  CHECK(command_name(command("app"), "it") == "it");
  CHECK_THROWS_AS(command_name(command("app"), "a/b"), UsageError);
  CHECK_THROWS_AS(command_name(command("app"), "a,b"), UsageError);
  CHECK_THROWS_AS(command_name(command("dir/"), ""), UsageError);
}

TEST_CASE("a command has the passes speed, memory and ledger, a server no ledger") {
  const WorkloadInfo app = command_workload(command("app"), "");
  CHECK(app.variants.at(0).passes == std::vector<std::string>{"speed", "memory", "ledger"});
  CHECK(has(app, "wall_seconds"));
  CHECK(has(app, "trims"));
  trial::Command serving = command("server");
  serving.server.emplace().figure = "([0-9]+)";
  const WorkloadInfo server = command_workload(serving, "");
  CHECK(server.variants.at(0).passes == std::vector<std::string>{"speed", "memory"});
  CHECK(has(server, "load_seconds"));
  CHECK(has(server, "figure"));
  CHECK(server.metrics.back().better == "higher");
  serving.server->figure_is_cost = true;
  CHECK(command_workload(serving, "").metrics.back().better == "lower");
  serving.server->figure.clear();
  CHECK_FALSE(has(command_workload(serving, ""), "figure"));
}

TEST_CASE("a plan of a command interleaves the allocators in each round and carries the command") {
  Request request;
  request.command = command("/usr/bin/app");
  request.lockstep = false;
  request.passes = {"speed"};
  request.rounds = parse_rounds("5", false);
  const auto workload = command_workload(*request.command, "it");
  const auto plan = make_plan(request, two_allocators(), {workload});
  REQUIRE(plan.size() == 10);
  for (std::size_t at = 0; at < plan.size(); ++at) {
    CHECK(plan[at].command == request.command);
    CHECK(plan[at].workload == "it");
    CHECK(plan[at].variant == "command");
    CHECK(plan[at].round == at / 2);
    CHECK_FALSE(plan[at].lockstep);
    CHECK(plan[at].timeout.count() == 600);
  }
  for (std::size_t at = 0; at < plan.size(); at += 2) CHECK(plan[at].allocator != plan[at + 1].allocator);
  CHECK(make_plan(request, two_allocators(), {workload}) == plan);
  request.lockstep = true;
  CHECK(make_plan(request, two_allocators(), {workload}).front().lockstep);
}
