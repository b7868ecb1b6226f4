// Lockstep sessions of the real host: the same slices on all allocators, on one thread and on several, and a
// clock that does not show the waiting.
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include "harness/plan/selection.h"
#include "harness/plan/workload_list.h"
#include "harness/trial/child.h"
#include "harness/trial/process_executor.h"
#include "harness/trial/session.h"
#include "testing/selected.h"

using namespace heapmark;
using namespace heapmark::trial;
using heapmark::testing::select;
namespace fs = std::filesystem;

namespace {

const std::string kBuild = std::getenv("HEAPMARK_BUILD_DIR");
const std::string kHost = kBuild + "/heapmark-host";

TrialSpec spec_of(const plan::Selection& selection, const std::string& workload, Pairs parameters) {
  TrialSpec spec;
  spec.allocator = selection.label;
  spec.preload = selection.preload;
  spec.library = selection.library;
  spec.workload = workload;
  spec.parameters = std::move(parameters);
  spec.pass = "speed";
  spec.lockstep = true;
  return spec;
}

TrialSpec probe_spec(const std::string& library, const std::string& workload, Pairs parameters) {
  TrialSpec spec;
  spec.allocator = "probe";
  spec.preload = spec.library = library;
  spec.workload = workload;
  spec.parameters = std::move(parameters);
  spec.pass = "speed";
  spec.lockstep = true;
  return spec;
}

std::vector<TrialResult> run(const std::vector<TrialSpec>& specs) {
  const Descriptor never(::eventfd(0, EFD_CLOEXEC));
  return run_session(kHost, specs, never.get());
}

// Where its slices begin and how long they are, in units of work.
std::vector<std::pair<double, double>> cuts(const TrialResult& result) {
  std::vector<std::pair<double, double>> all;
  for (const auto& row : result.tables.at("slices").rows) all.emplace_back(row.at(0), row.at(1));
  return all;
}

const std::pair<const char*, Pairs> kWork[] = {
    {"churn", {{"live", "4M"}, {"operations", "1000000"}}},
    {"churn", {{"live", "4M"}, {"operations", "1000000"}, {"threads", "4"}}},
    {"breathe", {{"level", "8M"}, {"breaths", "300"}}},
    {"breathe", {{"sizes", "buffers"}, {"level", "64M"}, {"breaths", "20"}}},
    {"large_block", {{"budget", "64M"}, {"rounds", "8"}}},
    {"threads", {{"threads", "2000"}}},
    {"tutorial", {{"repeats", "1000"}}},
};

constexpr std::int64_t kTick = 10'000'000;  // of a coarse clock, in nanoseconds

// What clock_probe.c writes.
struct ClockSeen {
  std::int64_t calls, behind[5], backwards[5];
};

class ClockFile {
 public:
  ClockFile() : path_(fs::temp_directory_path() / ("heapmark-clock-" + std::to_string(::getpid()))) {
    std::ofstream(path_, std::ios::trunc) << std::string(4096, '\0');
  }
  ~ClockFile() { fs::remove(path_); }
  ClockFile(const ClockFile&) = delete;
  ClockFile& operator=(const ClockFile&) = delete;
  [[nodiscard]] std::string path() const { return path_.string(); }
  [[nodiscard]] ClockSeen seen() const {
    ClockSeen seen{};
    std::ifstream(path_, std::ios::binary).read(reinterpret_cast<char*>(&seen), sizeof seen);
    return seen;
  }

 private:
  fs::path path_;
};

}  // namespace

TEST_CASE("all allocators of a session do the same work in the same slices") {
  for (const auto& [workload, parameters] : kWork) {
    std::vector<TrialSpec> specs;
    for (const plan::Selection& one : select("glibc,brkmmap,tcmalloc"))
      if (one.skipped.empty()) specs.push_back(spec_of(one, workload, parameters));
    const auto results = run(specs);
    CAPTURE(workload, results.front().message);
    REQUIRE(results.front().outcome == trial::Outcome::kOk);
    const auto expected = cuts(results.front());
    double next = 0;
    for (const auto& [first, units] : expected) {
      CHECK(first == next);
      CHECK(units > 0);
      next = first + units;
    }
    if (std::string(workload) == "churn") CHECK(expected.size() > 1);
    for (const TrialResult& result : results) {
      CHECK(result.outcome == trial::Outcome::kOk);
      CHECK(result.operations == results.front().operations);
      CHECK(cuts(result) == expected);
      CHECK(result.lockstep->cpus == results.front().lockstep->cpus);
      CHECK_FALSE(result.lockstep->cpus.empty());
    }
  }
}

TEST_CASE("a workload of one thread is pinned to one CPU") {
  const auto glibc = select("glibc").front();
  CHECK(run({spec_of(glibc, "tutorial", {{"repeats", "10"}})})[0].lockstep->cpus.size() == 1);
}

// The nice value that a child of this process may get when it asks for the highest priority.
int highest_priority() {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(::setpriority(PRIO_PROCESS, 0, -20) == 0 ? 0 : 1);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return status == 0 ? -20 : ::getpriority(PRIO_PROCESS, 0);
}

TEST_CASE("what is timed has the highest priority that may be given, which the record states") {
  const auto glibc = select("glibc").front();
  const TrialSpec spec = spec_of(glibc, "churn", {{"live", "1M"}, {"operations", "20000"}, {"threads", "2"}});
  for (const TrialResult& result : run({spec, spec})) CHECK(result.lockstep->nice == highest_priority());
}

TEST_CASE("operations are those of a trial alone, whatever the seed") {
  const auto glibc = select("glibc").front();
  for (const std::uint64_t seed : {1U, 2U}) {
    TrialSpec one = spec_of(glibc, "churn", {{"live", "1M"}, {"operations", "200000"}, {"threads", "2"}});
    one.seed = seed;
    CHECK(run({one, one})[1].operations == 200000);
  }
}

TEST_CASE("an allocator's clock does not show that its process waited") {
  const ClockFile file;
  const Pairs work{{"live", "4M"}, {"operations", "1000000"}};
  TrialSpec probe = probe_spec(kBuild + "/libheapmark-clock-probe.so", "churn", work);
  probe.environment = {{"HEAPMARK_CLOCK_FILE", file.path()}};
  const auto results = run({spec_of(select("glibc").front(), "churn", work), probe});
  CAPTURE(results[1].message);
  REQUIRE(results[1].outcome == trial::Outcome::kOk);
  REQUIRE(results[1].lockstep->slices > 1);
  const auto waited = static_cast<std::int64_t>(results[1].lockstep->waited_ns);
  REQUIRE(waited > 0);
  const ClockSeen seen = file.seen();
  REQUIRE(seen.calls > 1'000'000);
  // The least of many readings one after the other. The coarse clock moves in ticks, so each of its waits may
  // be off by one.
  const auto turns = static_cast<std::int64_t>(results[1].lockstep->slices) + 2;
  for (int clock = 0; clock < 4; ++clock) {
    CAPTURE(clock);
    const std::int64_t tolerated = clock == 2 ? turns * kTick : kTick;
    CHECK(seen.backwards[clock] == 0);
    CHECK(seen.behind[clock] > waited - tolerated);
    CHECK(seen.behind[clock] < waited + tolerated);
  }
  CHECK(seen.behind[4] < kTick);  // the date stays the date
}

TEST_CASE("in a trial alone the clock is the kernel's") {
  const ClockFile file;
  TrialSpec probe =
      probe_spec(kBuild + "/libheapmark-clock-probe.so", "churn", {{"live", "1M"}, {"operations", "20000"}});
  probe.environment = {{"HEAPMARK_CLOCK_FILE", file.path()}};
  REQUIRE(ProcessExecutor(kHost).run(probe).outcome == trial::Outcome::kOk);
  const ClockSeen seen = file.seen();
  REQUIRE(seen.calls > 1000);
  for (int clock = 0; clock < 5; ++clock) {
    CHECK(seen.backwards[clock] == 0);
    CHECK(seen.behind[clock] < kTick);
  }
}

TEST_CASE("the library that slows an allocator by a known share passes the checks of contents") {
  const fs::path copy = fs::temp_directory_path() / ("heapmark-" + std::to_string(::getpid()) + "-2.5.so");
  fs::copy_file(kBuild + "/libheapmark-slower.so", copy);
  TrialSpec slower = probe_spec(copy.string(), "churn", {{"live", "1M"}, {"operations", "20000"}});
  slower.check = true;
  CHECK(run({slower})[0].outcome == trial::Outcome::kOk);
  fs::remove(copy);
}
