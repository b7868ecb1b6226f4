// What this machine offers for measuring under memory pressure: the memory controller of its cgroups (v1 or
// v2), the kernel's account of stalls (PSI) and of pages swapped out. Only reads; trial/memory_cgroup.h makes
// cgroups. The root directory is a parameter so that tests can give a made-up /proc and /sys.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace heapmark::machine {

enum class CgroupVersion { kV1, kV2 };

struct MemoryHierarchy {
  CgroupVersion version = CgroupVersion::kV1;
  std::filesystem::path mounted_at;
  bool operator==(const MemoryHierarchy&) const = default;
};

// `mounts`: the text of /proc/mounts. A v1 hierarchy of the memory controller is preferred: where there is
// one, v2 has no such controller. Empty where neither is mounted.
[[nodiscard]] std::optional<MemoryHierarchy> find_memory_hierarchy(std::string_view mounts);

// Of this machine, its place below `root`.
[[nodiscard]] std::optional<MemoryHierarchy> memory_hierarchy(const std::filesystem::path& root = "/");

// Why a process of `user` can make no memory cgroup here, with what to do about it; "" where nothing is known
// to be in the way.
[[nodiscard]] std::string why_no_memory_cgroup(const std::filesystem::path& root = "/",
                                               uid_t user = ::geteuid());

// Time in which some thread, or all threads, waited for memory; Documentation/accounting/psi.rst.
struct Stalls {
  std::uint64_t some_us = 0, full_us = 0;
};
// Of a file of that format (/proc/pressure/memory, a v2 cgroup's memory.pressure). Empty where it cannot be
// read: the kernel was built without PSI, or started with psi=0.
[[nodiscard]] std::optional<Stalls> read_stalls(const std::filesystem::path& file);

// Why there is no account of stalls, with what to do; "" where there is one.
[[nodiscard]] std::string why_no_stalls(const std::filesystem::path& root = "/");

// By the whole machine since its start (/proc/vmstat, pswpout). Empty where it cannot be read.
[[nodiscard]] std::optional<std::uint64_t> swapped_out_bytes(const std::filesystem::path& root = "/");

// Whether a swap is in use (/proc/swaps).
[[nodiscard]] bool has_swap(const std::filesystem::path& root = "/");

}  // namespace heapmark::machine
