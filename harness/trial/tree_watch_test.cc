#include "harness/trial/tree_watch.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "harness/machine/program_file.h"
#include "harness/trial/command_run.h"
#include "harness/trial/command_session.h"

using namespace heapmark::trial;
using Catch::Contains;
namespace fs = std::filesystem;

namespace {

std::string built(const std::string& name) {
  return std::string(std::getenv("HEAPMARK_BUILD_DIR")) + "/" + name;
}

TrialSpec shell(const std::string& script, const std::string& pass) {
  TrialSpec spec;
  spec.allocator = "brkmmap";
  spec.preload = spec.library = built("libbrkmmap.so");
  spec.pass = pass;
  spec.timeout = std::chrono::seconds(60);
  spec.command.emplace().words = {"/bin/sh", "-c", script};
  return spec;
}

ProcessLook shell_with(std::vector<std::string> files) {
  return {heapmark::machine::program_behind("sh"), std::move(files)};
}

}  // namespace

TEST_CASE("peak, mean over time and last value are of all samples, also of those without a row") {
  MemorySeries series;
  CHECK(std::isnan(series.peak_bytes()));
  CHECK(std::isnan(series.last_bytes()));
  series.add({0, 100, 1, 0});
  CHECK(std::isnan(series.mean_bytes()));
  series.add({10, 400, 1, 0});  // 100 were held for 10 ns
  series.add({40, 200, 1, 0});  // 400 for 30
  CHECK(series.peak_bytes() == 400);
  CHECK(series.last_bytes() == 200);
  CHECK(series.mean_bytes() == (100 * 10 + 400 * 30) / 40.0);
  MemorySeries many;
  for (int at = 0; at < 100000; ++at) many.add({double(at), at == 77777 ? 9e9 : 1.0, 1, 0});
  CHECK(many.rows().size() < MemorySeries::kMostRows);
  CHECK(many.rows().size() > MemorySeries::kMostRows / 4);
  CHECK(many.peak_bytes() == 9e9);
  CHECK(many.samples() == 100000);
}

TEST_CASE("the next look is so far away that all looks together stay below a hundredth of the time") {
  using std::chrono::milliseconds;
  using std::chrono::seconds;
  const TreeWatch::Clock::time_point began{};
  // 2 ms of looking at 100 ms: at 240 ms it is 1/120.
  CHECK(next_look(began, began + milliseconds(100), milliseconds(2)) == began + milliseconds(240));
  // Long cheap already: in a millisecond.
  CHECK(next_look(began, began + seconds(10), milliseconds(2)) == began + seconds(10) + milliseconds(1));
  CHECK(next_look(began, began + seconds(10), seconds(1)) == began + seconds(120));
}

TEST_CASE("a process is judged by what it has mapped") {
  const std::string libc = "/lib/libc.so.6", mine = built("libbrkmmap.so"),
                    noop = built("libheapmark-noop.so");
  CHECK(judge_process({}, mine, mine).proof == Proof::kUnknown);
  CHECK(judge_process(shell_with({"/bin/sh"}), mine, mine).proof == Proof::kUnknown);  // not yet
  CHECK(judge_process(shell_with({"/bin/sh", libc, mine}), mine, mine).proof == Proof::kProved);
  const Judged lost = judge_process(shell_with({"/bin/sh", libc}), mine, mine);
  CHECK(lost.proof == Proof::kLost);
  CHECK_THAT(lost.why, Contains("runs without libbrkmmap.so"));
  CHECK(judge_process(shell_with({libc, noop}), noop, libc).proof == Proof::kProved);
  // On the C library's malloc, another library with a malloc is in the way, but for the forwarding one.
  CHECK(judge_process(shell_with({libc, noop, mine}), noop, libc).proof == Proof::kLinked);
  const std::string forward = built("libheapmark-forward.so");
  CHECK(judge_process(shell_with({libc, forward, mine}), forward, libc).proof == Proof::kProved);
}

TEST_CASE("the memory of a command is sampled with its processes, and what looking cost") {
  const TrialResult result = run_command(
      shell("/usr/bin/python3 -S -c 'import time; b = b\"x\" * (32 << 20); time.sleep(1)' & wait", "memory"),
      -1);
  INFO(result.message);
  REQUIRE(result.outcome == Outcome::kOk);
  CHECK(result.metrics.at("rss_peak_bytes") > 32 << 20);
  CHECK(result.metrics.at("rss_peak_bytes") < 64 << 20);
  CHECK(result.metrics.at("rss_mean_bytes") <= result.metrics.at("rss_peak_bytes"));
  CHECK(result.metrics.at("sampling_share") > 0);
  CHECK(result.metrics.at("processes_peak") >= 2);
  CHECK(result.malloc_library == built("libbrkmmap.so"));
  const Table& marks = result.tables.at("tree_marks");
  CHECK(std::count(marks.texts.begin(), marks.texts.end(), "python3") >= 1);
}

TEST_CASE("commands that take turns all end, with turns of their own and the same output") {
  const std::string script = "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; echo $i";
  std::vector<TrialSpec> specs{shell(script, "speed"), shell(script, "speed"), shell("exit 3", "speed")};
  const std::vector<TrialResult> results = run_command_session(specs, -1);
  REQUIRE(results.size() == 3);
  for (int at : {0, 1}) {
    INFO(results[at].message);
    REQUIRE(results[at].outcome == Outcome::kOk);
    REQUIRE(results[at].lockstep.has_value());
    CHECK(results[at].lockstep->slices >= 1);
    CHECK(results[at].metrics.at("wall_seconds") > 0);
  }
  CHECK(results[0].output == results[1].output);
  CHECK(results[2].outcome == Outcome::kCommandFailed);
}

TEST_CASE("a command that waits is told that turns do not suit it") {
  const auto results = run_command_session({shell("sleep 0.5", "speed")}, -1);
  REQUIRE(results[0].outcome == Outcome::kOk);
  REQUIRE_FALSE(results[0].notes.empty());
  CHECK_THAT(results[0].notes.back(), Contains("--lockstep does not apply"));
}
