// The whole tool in the pressure pass, killed at random moments: nothing of it may be left. Needs root, a
// memory cgroup and a machine without swap; where one is missing, it says so. Bounded in time: where a kill
// and what follows take long, there are fewer of them.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>

#include "harness/machine/memory_pressure.h"
#include "harness/trial/zram_swap.h"
#include "testing/folder.h"
#include "testing/soon.h"

using namespace heapmark;
namespace fs = std::filesystem;

namespace {

constexpr int kKills = 50, kFewestKills = 10;
constexpr std::chrono::seconds kLongest{50};
constexpr std::chrono::seconds kLongestStart{60}, kLongestCleaning{10};

// Processes, measured ones included, that were started with this seed.
bool runs_with(const std::string& seed) {
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator("/proc", ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    if (testing::contents(entry.path() / "cmdline").find(seed) != std::string::npos) return true;
  }
  return false;
}

pid_t start(const testing::Folder& folder, const std::string& seed, const char* swap, int number) {
  const std::string program = std::string(std::getenv("HEAPMARK_BUILD_DIR")) + "/heapmark";
  const std::string output = folder.file("results-" + std::to_string(number) + ".json");
  const std::string swap_folder = folder.path().string();
  const pid_t tool = ::fork();
  if (tool != 0) return tool;
  ::setpgid(0, 0);
  if (std::freopen("/dev/null", "w", stdout) == nullptr || std::freopen("/dev/null", "w", stderr) == nullptr)
    ::_exit(126);
  ::execl(program.c_str(), program.c_str(), "run", "-a", "brkmmap", "-w", "churn/small-1t", "--pass",
          "pressure", "--quick", "--pressure", "0.8,0.6,smallest", "--swap", swap, "--swap-folder",
          swap_folder.c_str(), "--seed", seed.c_str(), "-o", output.c_str(), nullptr);
  ::_exit(127);
}

struct Left {
  bool cgroup, swap, file, zram, process;
  [[nodiscard]] bool nothing() const { return !cgroup && !swap && !file && !zram && !process; }
};

Left left_by(pid_t tool, const std::string& seed, const std::string& zram, const fs::path& folder) {
  const std::string number = std::to_string(tool);
  return {.cgroup = fs::exists(machine::memory_hierarchy()->mounted_at / ("heapmark-" + number)),
          .swap = machine::has_swap(),
          .file = fs::exists(folder / ("heapmark-swap-" + number)),
          .zram = !zram.empty() && testing::contents("/sys/block/" + zram + "/disksize") != "0\n",
          .process = runs_with(seed)};
}

// Microseconds until the tool has a cgroup: the kills must come before and after that, on a slow machine too.
unsigned start_takes(const testing::Folder& folder, const std::string& seed, const std::string& zram) {
  const auto began = std::chrono::steady_clock::now();
  const pid_t tool = start(folder, seed, "file", kKills);
  ::setpgid(tool, tool);
  const auto left = [&] { return left_by(tool, seed, zram, folder.path()); };
  REQUIRE(testing::becomes_true([&] { return left().cgroup; }, kLongestStart));
  const auto waited = std::chrono::steady_clock::now() - began;
  ::kill(-tool, SIGKILL);
  ::waitpid(tool, nullptr, 0);
  REQUIRE(testing::becomes_true([&] { return left().nothing(); }, kLongestCleaning));
  return static_cast<unsigned>(std::chrono::duration_cast<std::chrono::microseconds>(waited).count());
}

}  // namespace

TEST_CASE("killed at any moment, the tool leaves no cgroup, swap, file, zram device or process behind") {
  if (const std::string why = machine::why_no_memory_cgroup(); !why.empty() || machine::has_swap()) {
    WARN("not tested here: " << (why.empty() ? "the machine has swap" : why));
    return;
  }
  const testing::Folder folder("/var/tmp");
  const std::string zram = trial::unused_zram();
  const std::string seed = std::to_string(7'000'000'000 + ::getpid());
  std::mt19937 random(14);
  const unsigned latest_us = 600'000 + 2 * start_takes(folder, seed, zram);
  const auto began = std::chrono::steady_clock::now();
  int kills = 0, seen_cgroup = 0, seen_swap = 0;
  const auto in_time = [&] { return std::chrono::steady_clock::now() - began < kLongest; };
  for (; kills < kKills && (kills < kFewestKills || in_time()); ++kills) {
    const bool by_zram = !zram.empty() && kills % 2 == 1;
    const pid_t tool = start(folder, seed, by_zram ? "zram" : "file", kills);
    ::setpgid(tool, tool);
    ::usleep(random() % latest_us);
    const Left there = left_by(tool, seed, zram, folder.path());
    seen_cgroup += there.cgroup ? 1 : 0;
    seen_swap += there.swap ? 1 : 0;
    ::kill(-tool, SIGKILL);  // its whole process group, as a shell does
    ::waitpid(tool, nullptr, 0);
    Left left{};
    (void)testing::becomes_true([&] { return (left = left_by(tool, seed, zram, folder.path())).nothing(); },
                                kLongestCleaning);
    CAPTURE(kills, left.cgroup, left.swap, left.file, left.zram, left.process);
    REQUIRE(left.nothing());
  }
  CHECK(seen_cgroup > 0);
  CHECK(seen_swap > 0);
}
