// See oom_kills.h.
#include "harness/machine/oom_kills.h"

#include <string>

#include "harness/machine/kernel_files.h"
#include "harness/machine/own_cgroup.h"

namespace heapmark::machine {
namespace {

namespace fs = std::filesystem;

// v1's memory controller where it is mounted, else v2.
struct MemoryCgroup {
  OwnCgroup group;
  bool unified = false;
};
MemoryCgroup memory_cgroup(const fs::path& root) {
  const OwnCgroup v1 = own_cgroup(root, "memory");
  return v1.is_there() ? MemoryCgroup{v1, false} : MemoryCgroup{own_cgroup(root, ""), true};
}

std::uint64_t count_in(const fs::path& file) {
  return number_in(file).value_or(0);
}

std::uint64_t limit_hits_in(const fs::path& directory, bool unified) {
  if (unified) return number_behind(directory / "memory.events", "oom").value_or(0);
  return count_in(directory / "memory.failcnt") + count_in(directory / "memory.memsw.failcnt");
}

bool peak_is_limit(const fs::path& directory) {
  constexpr std::uint64_t kBatch = 64 * 4096;  // the kernel charges this many bytes at a time at most
  for (const std::string& kind : {std::string("memory"), std::string("memory.memsw")}) {
    const std::uint64_t limit = count_in(directory / (kind + ".limit_in_bytes"));
    if (limit != 0 && count_in(directory / (kind + ".max_usage_in_bytes")) + kBatch >= limit) return true;
  }
  return false;
}

}  // namespace

OomCounters read_oom_counters(const fs::path& root) {
  const auto [group, unified] = memory_cgroup(root);
  OomCounters counters;
  if (!group.is_there()) return counters;
  const fs::path own = group.visible();
  counters.kills =
      number_behind(own / (unified ? "memory.events" : "memory.oom_control"), "oom_kill").value_or(0);
  const fs::path top = group.mount.lexically_normal();
  for (fs::path at = (own / "").lexically_normal().parent_path();; at = at.parent_path()) {
    counters.limit_hits += limit_hits_in(at, unified);
    counters.peak_is_limit |= !unified && peak_is_limit(at);
    if (at.string().size() <= top.string().size()) return counters;
  }
}

OomKill oom_kill_between(const OomCounters& before, const OomCounters& after) {
  if (after.kills <= before.kills) return OomKill::kNone;
  return after.limit_hits > before.limit_hits || after.peak_is_limit ? OomKill::kCgroupLimit
                                                                     : OomKill::kMachine;
}

}  // namespace heapmark::machine
