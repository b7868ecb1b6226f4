// See zram_swap.h.
#include "harness/trial/zram_swap.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <vector>

#include "harness/machine/machine.h"
#include "harness/machine/memory_pressure.h"

namespace heapmark::trial {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMiB = 1024 * 1024;
constexpr std::uint64_t kPageBytes = 4096;  // a size is a multiple of it
// Pages that an incompressible heap would take, and as much again for everybody else.
constexpr std::uint64_t kMemoryPerByte = 2;

std::string first_word(const fs::path& file) {
  std::string word;
  std::ifstream(file) >> word;
  return word;
}

// Nobody else would choose this size: by it the cleaner knows whether the device is ours.
std::uint64_t own_size(std::uint64_t bytes) {
  return (bytes / kPageBytes + static_cast<std::uint64_t>(::getpid()) % 4096 + 1) * kPageBytes;
}

}  // namespace

std::string unused_zram(const fs::path& root) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(root / "sys/block", ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("zram") && first_word(entry.path() / "disksize") == "0") names.push_back(name);
  }
  return names.empty() ? "" : *std::min_element(names.begin(), names.end());
}

std::string why_no_zram(std::uint64_t bytes, BesideOther beside, std::uint64_t available_bytes,
                        const fs::path& root, uid_t user) {
  if (user != 0) return "only root can make a swap of zram: run heapmark by sudo";
  if (beside == BesideOther::kNo && machine::has_swap(root))
    return "this machine has swap already: it is used, and no zram device is set up";
  if (unused_zram(root).empty())
    return "no zram device is free: modprobe zram, or cat /sys/class/zram-control/hot_add";
  if (available_bytes < kMemoryPerByte * bytes)
    return fmt::format("this machine is too small: {} MiB of memory are available, {} MiB of zram need {}",
                       available_bytes / kMiB, bytes / kMiB, kMemoryPerByte * bytes / kMiB);
  return "";
}

ZramSwap::ZramSwap(std::uint64_t bytes, BesideOther beside) {
  if (const std::string why = why_no_zram(bytes, beside, machine::available_memory()); !why.empty())
    throw SwapRefused(why);
  device_ = unused_zram();
  const std::uint64_t size = own_size(bytes);
  cleaner_.will_set_up_zram(device_, size);
  const auto refuse = [&](const std::string& doing, int error, const char* advice) {
    throw SwapRefused(fmt::format("{} {}: {}: {}", doing, device_, ::strerror(error), advice));
  };
  // Fails where another was quicker: a size can be set once.
  const Descriptor setting(::open(("/sys/block/" + device_ + "/disksize").c_str(), O_WRONLY | O_CLOEXEC));
  const std::string text = std::to_string(size);
  if (setting.get() < 0 ||
      ::write(setting.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    refuse("setting the size of", errno, "choose --swap file");
  const fs::path node = "/dev/" + device_;
  {
    const Descriptor device(::open(node.c_str(), O_RDWR | O_CLOEXEC));
    if (device.get() < 0) refuse("opening", errno, "this container has no such device; choose --swap file");
    write_swap_header(device.get(), size, node);
  }
  if (const int error = use_swap(node, beside); error != 0)
    refuse("swapon", error, "run heapmark on the machine itself, or choose --swap file");
}

}  // namespace heapmark::trial
