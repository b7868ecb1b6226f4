// Where this process is in the machine's cgroup hierarchies (cgroups(7), "/proc files"). Only reads. The root
// directory is a parameter so that tests can give a made-up /proc and /sys.
#pragma once

#include <filesystem>
#include <string_view>

namespace heapmark::machine {

struct OwnCgroup {
  std::filesystem::path mount, own;  // "": the hierarchy is not there
  [[nodiscard]] bool is_there() const { return !mount.empty(); }
  // In a container the own directory may not be visible; its mount point is.
  [[nodiscard]] std::filesystem::path visible() const;
};

// In version 1's hierarchy of `controller` ("memory"), or in version 2's, which has all ("").
[[nodiscard]] OwnCgroup own_cgroup(const std::filesystem::path& root, std::string_view controller);

}  // namespace heapmark::machine
