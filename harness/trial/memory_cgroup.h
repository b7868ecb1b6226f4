// A memory cgroup (v1 or v2) of the tool's own, in which one measured process runs under a limit: what the
// kernel then reclaims, swaps out, or kills. Made at the root of the hierarchy, by root, for one trial; the
// cleaner removes it whatever ends the tool. Decides nothing about limits.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>

#include "harness/machine/memory_pressure.h"
#include "harness/trial/cleaner.h"

namespace heapmark::trial {

struct CgroupRefused : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The place for the cgroups of this process, one at a time.
class CgroupPlace {
 public:
  // Throws CgroupRefused, whose message says what is missing and how to provide it.
  CgroupPlace();
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] machine::CgroupVersion version() const { return hierarchy_.version; }

 private:
  machine::MemoryHierarchy hierarchy_;
  std::filesystem::path path_;
  Cleaner cleaner_;
};

class MemoryCgroup {
 public:
  // Makes it with this limit; 0: none. Without swap what does not fit is killed. Throws CgroupRefused.
  MemoryCgroup(const CgroupPlace& place, std::uint64_t limit_bytes, bool with_swap);
  ~MemoryCgroup();
  MemoryCgroup(const MemoryCgroup&) = delete;
  MemoryCgroup& operator=(const MemoryCgroup&) = delete;

  // Memory alone, swap not counted; empty where the kernel does not tell (v2 before Linux 5.19).
  [[nodiscard]] std::optional<std::uint64_t> peak_bytes() const;
  [[nodiscard]] std::uint64_t oom_kills() const;
  [[nodiscard]] std::optional<std::uint64_t> swapped_out_bytes()
      const;                                                    // empty where the kernel does not tell
  [[nodiscard]] std::optional<machine::Stalls> stalls() const;  // v2 alone

  // Whether to move pages to the list of those to be swapped out the kernel (6.18: inactive_is_low() of
  // mm/vmscan.c) decides by counters of the cgroup that may be two seconds old, and so it kills now and then
  // although all could be swapped out. So with swap the killer of v1 is held back: this descriptor becomes
  // readable where a task found no memory and sleeps, and relieve() has the counters brought up to date and
  // some pages taken back. Where there are none the killer is let loose. -1: the kernel kills by itself.
  [[nodiscard]] int out_of_memory() const { return out_of_memory_.get(); }
  void relieve();
  [[nodiscard]] unsigned reliefs() const { return reliefs_; }

  // For start_child(): the child joins the cgroup that was made last, before it becomes the measured process.
  static int join();

 private:
  void set_limit(std::uint64_t bytes, bool with_swap);
  void hold_back_killer();
  void write(const char* file, const std::string& text) const;

  machine::CgroupVersion version_;
  std::filesystem::path path_;
  Descriptor members_;
  std::uint64_t limit_bytes_ = 0;
  Descriptor out_of_memory_, control_;
  unsigned reliefs_ = 0;
};

// Cgroups of tools that were killed together with their cleaners, where no process is left in them. Returns
// how many were removed.
int remove_left_cgroups(const std::filesystem::path& mounted_at);

}  // namespace heapmark::trial
