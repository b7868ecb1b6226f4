// Whether the kernel ended a process for want of memory, and whose limit it was: counters of the memory
// cgroup, read before a process starts and after it was killed by SIGKILL. Both cgroup versions
// (Documentation/admin-guide/cgroup-v2.rst, "memory.events"; cgroup-v1/memory.rst). It cannot tell two
// processes of one cgroup apart that are killed at the same moment.
#pragma once

#include <cstdint>
#include <filesystem>

namespace heapmark::machine {

struct OomCounters {
  std::uint64_t kills = 0;       // processes of the cgroup that the kernel ended for want of memory
  std::uint64_t limit_hits = 0;  // times that the limit of the cgroup, or of one above it, was reached
  // v1: the most that the cgroup, or one above it, ever held is its limit. Linux 6.18 leaves the count of
  // hits (memory.failcnt) at 0 there.
  bool peak_is_limit = false;
};

// Of the cgroup that this process is in. What cannot be read counts as 0.
[[nodiscard]] OomCounters read_oom_counters(const std::filesystem::path& root = "/");

enum class OomKill {
  kNone,
  kCgroupLimit,  // a limit of the cgroup, or of one above it, was reached
  kMachine,      // no limit was reached: the machine had no memory left
};

// Pure: why a process that died by SIGKILL between the two readings was killed.
[[nodiscard]] OomKill oom_kill_between(const OomCounters& before, const OomCounters& after);

}  // namespace heapmark::machine
