// The memory cgroup: that its limit is one, and that nothing of it is left where the tool is killed. What
// needs root and a cgroup that can be written looks for them first, and says so.
#include "harness/trial/memory_cgroup.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "testing/soon.h"

using namespace heapmark;
using namespace heapmark::trial;
namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kMiB = 1 << 20;

bool can_be_made() {
  const std::string why = machine::why_no_memory_cgroup();
  if (!why.empty()) WARN("not tested, no memory cgroup can be made here: " << why);
  return why.empty();
}

// A process in the cgroup that touches `bytes`: its wait status.
int status_of_use(std::uint64_t bytes) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (MemoryCgroup::join() != 0) ::_exit(9);
    void* const memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (std::uint64_t at = 0; at < bytes; at += 4096) static_cast<volatile char*>(memory)[at] = 1;
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

}  // namespace

TEST_CASE("what does not fit the limit is killed and counted, what fits is not") {
  if (!can_be_made()) return;
  const CgroupPlace place;
  {
    const MemoryCgroup unlimited(place, 0, true);
    CHECK(status_of_use(40 * kMiB) == 0);
    if (const auto peak = unlimited.peak_bytes()) {
      CHECK(*peak >= 40 * kMiB);
      CHECK(*peak < 60 * kMiB);
    }
    CHECK(unlimited.oom_kills() == 0);
  }
  CHECK_FALSE(fs::exists(place.path()));
  {
    const MemoryCgroup limited(place, 20 * kMiB, false);
    CHECK(WTERMSIG(status_of_use(40 * kMiB)) == SIGKILL);
    CHECK(limited.oom_kills() == 1);
    CHECK(status_of_use(10 * kMiB) == 0);
    CHECK(limited.oom_kills() == 1);
  }
  CHECK_FALSE(fs::exists(place.path()));
}

TEST_CASE("a killed tool leaves neither its cgroup nor a process in it") {
  if (!can_be_made()) return;
  const pid_t tool = ::fork();
  if (tool == 0) {
    const CgroupPlace place;
    const MemoryCgroup cgroup(place, 0, true);
    if (::fork() == 0) {
      MemoryCgroup::join();
      ::execlp("sleep", "sleep", "600", nullptr);
      ::_exit(1);
    }
    ::usleep(100'000);
    ::kill(::getpid(), SIGKILL);
  }
  ::waitpid(tool, nullptr, 0);
  const fs::path cgroup = machine::memory_hierarchy()->mounted_at / ("heapmark-" + std::to_string(tool));
  CHECK(testing::becomes_true([&] { return !fs::exists(cgroup); }, std::chrono::seconds(10)));
}

TEST_CASE("what was left by a tool and its cleaner, both killed, is removed at the next start") {
  const fs::path root = fs::temp_directory_path() / ("heapmark-cgroups-" + std::to_string(::getpid()));
  const pid_t ended = ::fork();
  if (ended == 0) ::_exit(0);
  ::waitpid(ended, nullptr, 0);
  const fs::path left = root / ("heapmark-" + std::to_string(ended));
  const fs::path alive = root / ("heapmark-" + std::to_string(::getpid())), other = root / "heapmark-notes";
  for (const fs::path& folder : {left, alive, other}) fs::create_directories(folder);
  CHECK(remove_left_cgroups(root) == 1);
  CHECK_FALSE(fs::exists(left));
  CHECK(fs::exists(alive));
  CHECK(fs::exists(other));
  fs::remove_all(root);
}
