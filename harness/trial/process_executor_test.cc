#include "harness/trial/process_executor.h"

#include <signal.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "harness/ledger/os_ledger.h"

using namespace heapmark::trial;
using Catch::Contains;
namespace fs = std::filesystem;

namespace {

TrialSpec spec(const std::string& workload, const std::string& pass = "memory") {
  TrialSpec spec;
  spec.workload = workload;
  spec.pass = pass;
  spec.timeout = std::chrono::seconds(60);
  return spec;
}

std::string fake_host() {
  return std::string(std::getenv("HEAPMARK_BUILD_DIR")) + "/trial_fake_host";
}

// With the ledger, where this machine allows it, and without, in the two ways in which a child is started.
std::vector<const char*> passes() {
  if (const std::string why = heapmark::ledger::OsLedger::forbidden(); !why.empty()) {
    WARN(why);
    return {"memory", "speed"};
  }
  return {"memory", "speed", "ledger"};
}

// A memory cgroup of 64 MiB that this process and its children are in while it lives.
class SmallCgroup {
 public:
  SmallCgroup() {
    std::ifstream own("/proc/self/cgroup");
    for (std::string line; std::getline(own, line);) {
      const std::size_t memory = line.find(":memory:");
      if (memory != std::string::npos)
        outer_ = "/sys/fs/cgroup/memory" + line.substr(memory + 8);
      else if (line.starts_with("0::") && outer_.empty())
        outer_ = "/sys/fs/cgroup" + line.substr(3);
    }
    std::error_code error;
    inner_ = outer_ / ("heapmark-test-" + std::to_string(getpid()));
    usable_ = fs::create_directory(inner_, error) &&
              (write(inner_ / "memory.limit_in_bytes", kLimit) || write(inner_ / "memory.max", kLimit)) &&
              write(inner_ / "cgroup.procs", std::to_string(getpid()));
    if (!usable_) return;
    if (!write(inner_ / "memory.swap.max", "0")) (void)write(inner_ / "memory.memsw.limit_in_bytes", kLimit);
  }
  ~SmallCgroup() {
    (void)write(outer_ / "cgroup.procs", std::to_string(getpid()));
    ::rmdir(inner_.c_str());
  }
  SmallCgroup(const SmallCgroup&) = delete;
  SmallCgroup& operator=(const SmallCgroup&) = delete;
  [[nodiscard]] bool is_usable() const { return usable_; }

 private:
  static constexpr const char* kLimit = "67108864";
  static bool write(const fs::path& file, const std::string& text) {
    if (!fs::exists(file)) return false;
    std::ofstream out(file);
    out << text;
    return static_cast<bool>(out.flush());
  }
  fs::path outer_, inner_;
  bool usable_ = false;
};

TrialResult run(const TrialSpec& spec) {
  return ProcessExecutor(fake_host()).run(spec);
}

}  // namespace

TEST_CASE("what the measured process reports arrives") {
  const TrialResult result = run(spec("fine"));
  CHECK(result.outcome == Outcome::kOk);
  CHECK(result.message.empty());
  CHECK(result.operations == 42);
  CHECK(result.malloc_library == "/made/up.so");
  CHECK(result.metrics.at("answer") == 42);
  CHECK(std::isnan(result.metrics.at("unknown")));
  const Table& table = result.tables.at("steps");
  CHECK(table.columns == std::vector<std::string>{"one", "two"});
  CHECK(table.rows == std::vector<std::vector<double>>{{0, 1}, {2, 3}});
  CHECK(table.texts == std::vector<std::string>{"", "second"});
  CHECK(result.phases == std::vector<std::string>{"steady"});
  CHECK(result.wall_seconds > 0);
  CHECK(result.started.size() == 20);
}

TEST_CASE("a crash is recorded with its signal, the phase and what was measured before") {
  for (const char* pass : passes()) {
    const TrialResult result = run(spec("crash", pass));
    CHECK(result.outcome == Outcome::kCrashed);
    CHECK(result.message == "killed by SIGSEGV in the phase 'steady'");
    CHECK(result.metrics.at("answer") == 42);
  }
}

TEST_CASE("the last words of a process that aborts stand in the message") {
  const TrialResult result = run(spec("abort"));
  CHECK(result.outcome == Outcome::kCrashed);
  CHECK_THAT(result.message, Contains("SIGABRT") && Contains("it said: malloc(): corrupted heap"));
}

TEST_CASE("a process that ends without a word is a crash with its exit code") {
  CHECK_THAT(run(spec("early exit")).message, Contains("exited with code 3 before its main()"));
  CHECK(run(spec("silent")).outcome == Outcome::kCrashed);
}

TEST_CASE("a process that hangs is killed after its time, and keeps what it measured") {
  for (const char* pass : passes()) {
    TrialSpec hangs = spec("hang", pass);
    hangs.timeout = std::chrono::seconds(1);
    const TrialResult result = run(hangs);
    CHECK(result.outcome == Outcome::kTimedOut);
    CHECK_THAT(result.message, Contains("killed after 1 s"));
    CHECK(result.metrics.at("answer") == 42);
  }
}

TEST_CASE("a process that the kernel kills at its cgroup's limit is no crash of the allocator") {
  const SmallCgroup cgroup;
  if (!cgroup.is_usable()) {
    WARN("no memory cgroup can be made here");
    return;
  }
  for (const char* pass : passes()) {
    const TrialResult result = run(spec("eats memory", pass));
    CHECK(result.outcome == Outcome::kCgroupLimit);
    CHECK(result.message == "the kernel ended it at the limit of its memory cgroup in the phase 'steady'");
    CHECK(run(spec("killed", pass)).outcome == Outcome::kCrashed);
  }
  const auto session = ProcessExecutor(fake_host()).run_session({spec("eats memory", "speed")});
  CHECK(session.front().outcome == Outcome::kCgroupLimit);
}

TEST_CASE("a process left behind by one trial does not get into the next one's way") {
  if (passes().size() < 3) return;
  ProcessExecutor executor(fake_host());
  for (int round = 0; round < 3; ++round) {
    CHECK(executor.run(spec("leaves a child", "ledger")).outcome == Outcome::kOk);
    const TrialResult next = executor.run(spec("known calls", "ledger"));
    CHECK(next.outcome == Outcome::kOk);
    CHECK(next.metrics.at("trims") == 2);
  }
}

TEST_CASE("an interrupted trial ends at once, and so does every further one") {
  for (const char* pass : passes()) {
    ProcessExecutor executor(fake_host());
    std::thread user([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
      executor.interrupt();
    });
    CHECK(executor.run(spec("hang", pass)).outcome == Outcome::kInterrupted);
    user.join();
    CHECK(executor.run(spec("hang", pass)).outcome == Outcome::kInterrupted);
  }
}

TEST_CASE("what the process says of itself becomes the outcome") {
  const TrialResult result = run(spec("wrong"));
  CHECK(result.outcome == Outcome::kWrongAllocator);
  CHECK(result.message == "malloc is another's");
}

TEST_CASE("a report that was overwritten at random is read without harm") {
  const TrialResult result = run(spec("garbage"));
  CHECK(result.outcome == Outcome::kCrashed);
  CHECK(result.metrics.size() <= 96);
}

TEST_CASE("a host that is not there is an error, not a measurement") {
  const TrialResult result = ProcessExecutor("/nonexistent/heapmark-host").run(spec("fine"));
  CHECK(result.outcome == Outcome::kError);
  CHECK_THAT(result.message, Contains("cannot be executed"));
}

TEST_CASE("the environment is made from nothing, holds the tunables and is padded at random") {
  setenv("HEAPMARK_TEST_STRAY", "1", 1);
  TrialSpec one = spec("environment");
  one.environment = {{"MALLOC_CONF", "narenas:1"}};
  one.check = true;
  const TrialResult result = run(one);
  CHECK(result.outcome == Outcome::kCheckFailed);
  CHECK_THAT(result.message,
             Contains("MALLOC_CONF=narenas:1") && Contains("HEAPMARK_PADDING=") && Contains("check=1"));
  CHECK_THAT(result.message, !Contains("STRAY"));
  one.id = 1;
  CHECK(run(one).environment_padding != result.environment_padding);
}
