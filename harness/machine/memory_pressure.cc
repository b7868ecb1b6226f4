// See memory_pressure.h.
#include "harness/machine/memory_pressure.h"

#include <fmt/format.h>
#include <string.h>

#include <cerrno>
#include <charconv>
#include <fstream>
#include <sstream>

#include "harness/machine/kernel_files.h"

namespace heapmark::machine {
namespace {

namespace fs = std::filesystem;

bool has_word(const std::string& words, std::string_view wanted, char separator) {
  std::istringstream in(words);
  for (std::string word; std::getline(in, word, separator);)
    if (word == wanted) return true;
  return false;
}

std::optional<std::uint64_t> number_after(std::string_view text, std::string_view key) {
  const auto at = text.find(key);
  if (at == std::string_view::npos) return std::nullopt;
  std::uint64_t value = 0;
  const char* const from = text.data() + at + key.size();
  if (std::from_chars(from, text.data() + text.size(), value).ec != std::errc{}) return std::nullopt;
  return value;
}

}  // namespace

std::optional<MemoryHierarchy> find_memory_hierarchy(std::string_view mounts) {
  std::optional<MemoryHierarchy> v2;
  std::istringstream lines{std::string(mounts)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string device, place, type, options;
    words >> device >> place >> type >> options;
    if (type == "cgroup" && has_word(options, "memory", ','))
      return MemoryHierarchy{CgroupVersion::kV1, place};
    if (type == "cgroup2" && !v2) v2 = MemoryHierarchy{CgroupVersion::kV2, place};
  }
  return v2;
}

std::optional<MemoryHierarchy> memory_hierarchy(const fs::path& root) {
  auto found = find_memory_hierarchy(text_of(root / "proc/mounts"));
  if (found) found->mounted_at = root / found->mounted_at.relative_path();
  return found;
}

std::string why_no_memory_cgroup(const fs::path& root, uid_t user) {
  const auto hierarchy = memory_hierarchy(root);
  if (!hierarchy)
    return "no memory cgroup is mounted: mount -t cgroup2 none /sys/fs/cgroup, or give the container its own";
  const bool v2 = hierarchy->version == CgroupVersion::kV2;
  const std::string place = hierarchy->mounted_at.string();
  if (user != 0) return fmt::format("only root can make a memory cgroup in {}: run heapmark by sudo", place);
  std::string controllers = text_of(hierarchy->mounted_at / "cgroup.controllers");
  while (!controllers.empty() && controllers.back() == '\n') controllers.pop_back();
  if (v2 && !has_word(controllers, "memory", ' '))
    return fmt::format("the cgroup v2 at {} has no memory controller: boot without cgroup_disable=memory",
                       place);
  if (::access(place.c_str(), W_OK) != 0)
    return fmt::format(
        "{} (cgroup {}) cannot be written: {}: run on the machine itself, or in a container started "
        "with --privileged",
        place, v2 ? "v2" : "v1", ::strerror(errno));
  return "";
}

std::optional<Stalls> read_stalls(const fs::path& file) {
  const std::string text = text_of(file);
  const auto full_line = text.find("full");
  const auto some = number_after(text.substr(0, full_line), "total=");
  if (!some) return std::nullopt;
  Stalls stalls{*some, 0};
  if (full_line != std::string::npos)
    stalls.full_us = number_after(std::string_view(text).substr(full_line), "total=").value_or(0);
  return stalls;
}

std::string why_no_stalls(const fs::path& root) {
  if (read_stalls(root / "proc/pressure/memory")) return "";
  return "this kernel keeps no account of stalls (PSI): boot with psi=1, or a kernel with CONFIG_PSI";
}

std::optional<std::uint64_t> swapped_out_bytes(const fs::path& root) {
  const auto pages = number_behind(root / "proc/vmstat", "pswpout");
  if (!pages) return std::nullopt;
  return *pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

bool has_swap(const fs::path& root) {
  std::ifstream swaps(root / "proc/swaps");
  std::string line;
  std::getline(swaps, line);  // the head of the table
  return static_cast<bool>(std::getline(swaps, line));
}

}  // namespace heapmark::machine
