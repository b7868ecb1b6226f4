// The swap file: that it is in use and gone afterwards, also where the tool is killed at any moment, and what
// is said where none can be made. What needs root and a machine without swap looks for them first, and says
// so.
#include "harness/trial/swap_file.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <random>

#include "harness/trial/process_executor.h"
#include "testing/folder.h"
#include "testing/selected.h"
#include "testing/soon.h"

using namespace heapmark;
using namespace heapmark::trial;
using Catch::Contains;
namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kBytes = 8 << 20;
const std::string kBuild = std::getenv("HEAPMARK_BUILD_DIR");

// On a disk: /tmp may lie in memory.
class Folder : public testing::Folder {
 public:
  Folder() : testing::Folder("/var/tmp") {}
};

bool in_use(const fs::path& folder) {
  return testing::contents("/proc/swaps").find(folder.string() + "/") != std::string::npos;
}

// Root, a machine without swap, a file system and a container that take swap files.
bool can_swap_here(const fs::path& folder) {
  try {
    const SwapFile file(folder, kBytes);
    return true;
  } catch (const SwapRefused& refused) {
    WARN("not tested, no swap file can be made here: " << refused.what());
    return false;
  }
}

// A process that does `work` and exits with what it returns.
template <typename Work>
pid_t start(const Work& work) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(work());
  return child;
}

int exit_code_of(pid_t child) {
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

pid_t ended_process() {
  const pid_t child = start([] { return 0; });
  exit_code_of(child);
  return child;
}

}  // namespace

TEST_CASE("a swap file is in use for the time of its object, and then gone") {
  const Folder folder;
  if (!can_swap_here(folder.path())) return;
  {
    const SwapFile file(folder.path(), kBytes);
    CHECK(in_use(folder.path()));
    CHECK(fs::exists(file.path()));
    CHECK_THAT(why_no_swap_file(folder.path(), kBytes), Contains("has swap already"));
    CHECK_THROWS_AS(SwapFile(folder.path(), kBytes), SwapRefused);
    CHECK(in_use(folder.path()));  // still: the refused one takes nothing away
  }
  CHECK_FALSE(in_use(folder.path()));
  CHECK(fs::is_empty(folder.path()));
}

TEST_CASE("killed at random moments, fifty times, it leaves no swap and no file behind") {
  const Folder folder;
  if (!can_swap_here(folder.path())) return;
  std::mt19937 random(14);
  const auto start_tool = [&] {
    const pid_t tool = start([&] {
      ::setpgid(0, 0);
      for (;;) {
        const SwapFile file(folder.path(), kBytes);
        ::usleep(2000);
      }
      return 0;
    });
    ::setpgid(tool, tool);
    return tool;
  };
  const auto began = std::chrono::steady_clock::now();
  const pid_t first = start_tool();
  REQUIRE(testing::becomes_true([&] { return in_use(folder.path()); }, std::chrono::seconds(60)));
  // Twice what it takes: the kills come before, while and after the file is in use, on a slow machine too.
  const auto latest_us = static_cast<unsigned>(
      2 * std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - began)
              .count());
  ::kill(-first, SIGKILL);
  exit_code_of(first);
  const auto is_clean = [&] { return !in_use(folder.path()) && fs::is_empty(folder.path()); };
  REQUIRE(testing::becomes_true(is_clean, std::chrono::seconds(10)));
  int seen_in_use = 0;
  for (int time = 0; time < 50; ++time) {
    const pid_t tool = start_tool();
    ::usleep(random() % latest_us);
    seen_in_use += in_use(folder.path()) ? 1 : 0;
    ::kill(-tool, SIGKILL);  // its whole process group, as a shell does
    exit_code_of(tool);
    REQUIRE(testing::becomes_true(is_clean, std::chrono::seconds(10)));
  }
  CHECK(seen_in_use > 0);
}

TEST_CASE("what was left by a tool and its cleaner, both killed, is removed at the next start") {
  const Folder folder;
  const fs::path left = folder.path() / ("heapmark-swap-" + std::to_string(ended_process()));
  const fs::path alive = folder.path() / ("heapmark-swap-" + std::to_string(::getpid()));
  const fs::path other = folder.path() / "heapmark-swap-notes";
  for (const fs::path& file : {left, alive, other}) std::ofstream(file) << "x";
  CHECK(remove_left_swap_files(folder.path()) == 1);
  CHECK_FALSE(fs::exists(left));
  CHECK(fs::exists(alive));
  CHECK(fs::exists(other));
}

TEST_CASE("where no swap file can be made the reason is given, with what to do, and nothing is left") {
  const Folder folder;
  if (::geteuid() == 0) {
    const std::string swaps = testing::contents("/proc/swaps");
    if (swaps.find('\n') + 1 == swaps.size()) {  // the head alone
      CHECK_THAT(why_no_swap_file(folder.path(), std::uint64_t{1} << 60), Contains("make room"));
      CHECK_THAT(why_no_swap_file(folder.path() / "none", kBytes), Contains("No such file"));
      if (fs::exists("/dev/shm"))
        CHECK_THROWS_WITH(SwapFile("/dev/shm", kBytes),
                          Contains("choose another folder") || Contains("container"));
      CHECK_FALSE(fs::exists("/dev/shm/heapmark-swap-" + std::to_string(::getpid())));
    }
    const pid_t user = start([&] {
      if (::setuid(65534) != 0) return 2;
      return why_no_swap_file(folder.path(), kBytes).find("root") != std::string::npos ? 0 : 1;
    });
    CHECK(exit_code_of(user) == 0);
  } else {
    CHECK_THAT(why_no_swap_file(folder.path(), kBytes), Contains("root"));
  }
}

TEST_CASE("with swap the tutorial's last claim is decided by malloc's own page, for every allocator") {
  const Folder folder;
  if (!can_swap_here(folder.path())) return;
  const SwapFile file(folder.path(), kBytes);
  for (const plan::Selection& selection : testing::select("all")) {
    if (!selection.skipped.empty()) continue;
    TrialSpec spec;
    spec.preload = selection.preload;
    spec.library = selection.library;
    spec.environment = plan::environment_of(selection);
    spec.workload = "tutorial";
    spec.pass = "memory";
    const TrialResult result = ProcessExecutor(kBuild + "/heapmark-host").run(spec);
    CAPTURE(selection.label, result.message);
    REQUIRE(result.outcome == trial::Outcome::kOk);
    const Table& claims = result.tables.at("claims");
    CHECK(claims.rows.at(11).at(1) == 1);
    CHECK_THAT(claims.texts.at(11), Contains("MADV_PAGEOUT took 1 major fault"));
    CHECK(result.metrics.at("major_faults") == 1);
  }
}
