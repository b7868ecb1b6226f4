// Lockstep sessions with a fake host, whose processes note when each of their turns began and ended.
#include "harness/trial/session.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <set>
#include <thread>

#include "harness/trial/child.h"
#include "harness/trial/tests/fake_session.h"

using namespace heapmark::trial;
using Catch::Contains;

namespace {

constexpr std::size_t kSlices = heapmark::fake::kSlices;

std::string fake_host() {
  return std::string(std::getenv("HEAPMARK_BUILD_DIR")) + "/trial_fake_host";
}

std::vector<TrialSpec> specs(const std::vector<std::string>& workloads, std::uint64_t seed = 1) {
  std::vector<TrialSpec> all;
  for (const std::string& workload : workloads) {
    TrialSpec spec;
    spec.id = all.size();
    spec.workload = workload;
    spec.pass = "speed";
    spec.lockstep = true;
    spec.seed = seed;
    spec.timeout = std::chrono::seconds(60);
    all.push_back(spec);
  }
  return all;
}

std::vector<TrialResult> run(const std::vector<TrialSpec>& specs) {
  const Descriptor never(::eventfd(0, EFD_CLOEXEC));
  return run_session(fake_host(), specs, never.get());
}

std::vector<double> column(const TrialResult& result, const std::string& name) {
  const Table& table = result.tables.at("slices");
  const auto at = std::find(table.columns.begin(), table.columns.end(), name) - table.columns.begin();
  std::vector<double> values;
  for (const auto& row : table.rows) values.push_back(row.at(static_cast<std::size_t>(at)));
  return values;
}

// The place of each process in the order of each slice.
std::vector<std::vector<double>> places(const std::vector<TrialResult>& results) {
  std::vector<std::vector<double>> all;
  for (const TrialResult& result : results) all.push_back(column(result, "place"));
  return all;
}

// The session goes on without the second process, whose trial has failed.
std::vector<TrialResult> second_fails(const std::string& how,
                                      std::chrono::seconds timeout = std::chrono::seconds(60)) {
  auto session = specs({"fine", how, "fine"});
  session[1].timeout = timeout;
  auto results = run(session);
  REQUIRE(results.size() == 3);
  for (const std::size_t at : {0U, 2U}) {
    CHECK(results[at].outcome == Outcome::kOk);
    CHECK(results[at].lockstep->slices == kSlices);
  }
  CHECK(results[1].outcome != Outcome::kOk);
  return results;
}

}  // namespace

TEST_CASE("one process runs at a time, in an order that is drawn for each slice") {
  const auto results = run(specs({"fine", "fine", "fine"}));
  std::vector<std::pair<double, double>> turns;
  for (const TrialResult& result : results) {
    REQUIRE(result.outcome == Outcome::kOk);
    REQUIRE(result.lockstep);
    CHECK(result.lockstep->slices == kSlices);
    CHECK(result.lockstep->slice_units == 10);
    CHECK(result.wall_seconds > 0);
    const auto begins = column(result, "wall_ns"), ends = column(result, "cpu_ns");
    for (std::size_t at = 0; at < kSlices; ++at) turns.emplace_back(begins[at], ends[at]);
  }
  std::sort(turns.begin(), turns.end());
  for (std::size_t at = 1; at < turns.size(); ++at) CHECK(turns[at - 1].second <= turns[at].first);

  const auto drawn = places(results);
  std::set<std::vector<double>> orders;
  for (std::size_t slice = 0; slice < kSlices; ++slice) {
    std::vector<double> order{drawn[0][slice], drawn[1][slice], drawn[2][slice]};
    orders.insert(order);
    std::sort(order.begin(), order.end());
    CHECK(order == std::vector<double>{1, 2, 3});
  }
  CHECK(orders.size() > 1);
  CHECK(drawn[0][0] == 1);  // the first process chooses the length of a slice
}

TEST_CASE("the same seed and round give the same order, others another") {
  const auto once = places(run(specs({"fine", "fine", "fine"})));
  CHECK(once == places(run(specs({"fine", "fine", "fine"}))));
  CHECK(once != places(run(specs({"fine", "fine", "fine"}, 2))));
  auto next_round = specs({"fine", "fine", "fine"});
  for (TrialSpec& spec : next_round) spec.round = 1;
  CHECK(once != places(run(next_round)));
}

TEST_CASE("a process that crashes in a slice leaves the session with what it measured") {
  const auto results = second_fails("crash in a slice");
  CHECK(results[1].outcome == Outcome::kCrashed);
  CHECK_THAT(results[1].message, Contains("SIGSEGV") && Contains("(in slice 3)"));
  CHECK(results[1].tables.at("slices").rows.size() == 2);
  CHECK(results[1].metrics.at("answer") == 42);
}

TEST_CASE("a process that hangs in a slice is ended after its own time") {
  const auto results = second_fails("hang in a slice", std::chrono::seconds(1));
  CHECK(results[1].outcome == Outcome::kTimedOut);
  CHECK_THAT(results[1].message, Contains("(in slice 3)"));
}

TEST_CASE("a process that is stopped in a slice is found and ended, long before its time") {
  const auto results = second_fails("stop in a slice");
  CHECK(results[1].outcome == Outcome::kCrashed);
  CHECK_THAT(results[1].message, Contains("stopped by a signal") && Contains("(in slice 3)"));
}

TEST_CASE("a process that is killed while it waits is found at its next turn") {
  CHECK(second_fails("die while waiting")[1].outcome == Outcome::kCrashed);
}

TEST_CASE("a process may fail before its first slice") {
  CHECK(second_fails("exits at once")[1].message.find("code 3") != std::string::npos);
  CHECK(second_fails("crash in the fill")[1].outcome == Outcome::kCrashed);
}

TEST_CASE("a process that asks for more turns than a session has is an error") {
  CHECK(second_fails("one turn too many")[1].outcome == Outcome::kError);
}

TEST_CASE("where the first process fails, another chooses the length of a slice") {
  const auto results = run(specs({"crash in the fill", "fine"}));
  CHECK(results[0].outcome == Outcome::kCrashed);
  CHECK(results[1].outcome == Outcome::kOk);
  CHECK(results[1].lockstep->slice_units == 10);
}

TEST_CASE("an interrupted session ends at once, and all its trials are interrupted") {
  const Descriptor interrupted(::eventfd(0, EFD_CLOEXEC));
  std::thread user([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    ::eventfd_write(interrupted.get(), 1);
  });
  const auto results =
      run_session(fake_host(), specs({"fine", "hang in a slice", "fine"}), interrupted.get());
  user.join();
  for (const TrialResult& result : results) CHECK(result.outcome == Outcome::kInterrupted);
  for (const TrialResult& result : run_session(fake_host(), specs({"fine", "fine"}), interrupted.get()))
    CHECK(result.outcome == Outcome::kInterrupted);
}

TEST_CASE("a host that is not there makes every trial of the session an error") {
  const Descriptor never(::eventfd(0, EFD_CLOEXEC));
  for (const TrialResult& result :
       run_session("/nonexistent/heapmark-host", specs({"fine", "fine"}), never.get()))
    CHECK(result.outcome == Outcome::kError);
}
