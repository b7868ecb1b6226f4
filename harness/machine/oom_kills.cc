// See oom_kills.h.
#include "harness/machine/oom_kills.h"

#include <fstream>
#include <sstream>
#include <string>
#include <system_error>

namespace heapmark::machine {
namespace {

namespace fs = std::filesystem;

// The number behind `key` in a file of lines "key number"; 0 where there is none.
std::uint64_t number_behind(const fs::path& file, const std::string& key) {
  std::ifstream in(file);
  std::string word;
  for (std::uint64_t value = 0; in >> word >> value;)
    if (word == key) return value;
  return 0;
}

std::uint64_t number_in(const fs::path& file) {
  std::uint64_t value = 0;
  std::ifstream(file) >> value;
  return value;
}

struct MemoryCgroup {
  fs::path mount, own;  // "" where there is none
  bool unified = false;
};

// v1's memory controller where it is mounted, else v2; cgroups(7), "/proc files".
MemoryCgroup memory_cgroup(const fs::path& root) {
  MemoryCgroup found;
  std::ifstream in(root / "proc/self/cgroup");
  for (std::string line; std::getline(in, line);) {
    std::istringstream parts(line);
    std::string number, controllers, path;
    if (!std::getline(parts, number, ':') || !std::getline(parts, controllers, ':') ||
        !std::getline(parts, path))
      continue;
    const bool v1 = ("," + controllers + ",").find(",memory,") != std::string::npos;
    if (!v1 && (!controllers.empty() || !found.mount.empty())) continue;
    found.mount = root / (v1 ? "sys/fs/cgroup/memory" : "sys/fs/cgroup");
    found.own = found.mount / fs::path(path).relative_path();
    found.unified = !v1;
  }
  // In a container the own directory may not be visible; its mount point is.
  std::error_code error;
  if (!fs::exists(found.own, error)) found.own = found.mount;
  return found;
}

std::uint64_t limit_hits_in(const fs::path& directory, bool unified) {
  if (unified) return number_behind(directory / "memory.events", "oom");
  return number_in(directory / "memory.failcnt") + number_in(directory / "memory.memsw.failcnt");
}

bool peak_is_limit(const fs::path& directory) {
  constexpr std::uint64_t kBatch = 64 * 4096;  // the kernel charges this many bytes at a time at most
  for (const std::string& kind : {std::string("memory"), std::string("memory.memsw")}) {
    const std::uint64_t limit = number_in(directory / (kind + ".limit_in_bytes"));
    if (limit != 0 && number_in(directory / (kind + ".max_usage_in_bytes")) + kBatch >= limit) return true;
  }
  return false;
}

}  // namespace

OomCounters read_oom_counters(const fs::path& root) {
  const MemoryCgroup group = memory_cgroup(root);
  OomCounters counters;
  if (group.mount.empty()) return counters;
  counters.kills =
      number_behind(group.own / (group.unified ? "memory.events" : "memory.oom_control"), "oom_kill");
  const fs::path top = group.mount.lexically_normal();
  for (fs::path at = (group.own / "").lexically_normal().parent_path();; at = at.parent_path()) {
    counters.limit_hits += limit_hits_in(at, group.unified);
    counters.peak_is_limit |= !group.unified && peak_is_limit(at);
    if (at.string().size() <= top.string().size()) return counters;
  }
}

OomKill oom_kill_between(const OomCounters& before, const OomCounters& after) {
  if (after.kills <= before.kills) return OomKill::kNone;
  return after.limit_hits > before.limit_hits || after.peak_is_limit ? OomKill::kCgroupLimit
                                                                     : OomKill::kMachine;
}

}  // namespace heapmark::machine
