// Cgroups of one trial's process tree, where this user may make them (as root): "pids" bounds how many
// processes there are and names every one of them, "memory" tells what they hold and whether the kernel ended
// one for want of memory. Version 1 has a hierarchy for each, version 2 one for all (cgroups(7)). Without any
// everything works by process groups and /proc, and the bound is the user's process limit. Decides where they
// lie and what is in them; who is put in, and when, is keeper.h's.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace heapmark::trial {

class TreeCgroup {
 public:
  TreeCgroup() = default;  // none
  // Makes what can be made below the cgroup that this process is in. `name` is the directory's.
  [[nodiscard]] static TreeCgroup make(const std::string& name, unsigned process_limit,
                                       const std::filesystem::path& root = "/");
  // Of all this only remove() is to be called where the directories are gone.
  [[nodiscard]] const std::vector<std::string>& directories() const { return directories_; }
  [[nodiscard]] bool has_pids() const { return !pids_.empty(); }
  [[nodiscard]] bool has_memory() const { return !memory_.empty(); }

  [[nodiscard]] std::vector<int> processes() const;                    // of the pids cgroup
  [[nodiscard]] std::uint64_t forks_refused() const;                   // at the process limit
  [[nodiscard]] std::optional<std::uint64_t> anonymous_bytes() const;  // resident; by memory.stat
  [[nodiscard]] std::uint64_t oom_kills() const;                       // by the kernel, for want of memory
  void forbid_forks() const;
  void remove() const;  // empty ones

 private:
  std::vector<std::string> directories_;
  std::string pids_, memory_;
  bool unified_ = false;
};

}  // namespace heapmark::trial
