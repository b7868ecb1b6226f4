// Swap in compressed memory (zram) for the time of a measurement: a major fault without a disk. Uses a device
// that exists and that nobody has set up; makes none and removes none.
// Documentation/admin-guide/blockdev/zram.rst.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "harness/trial/cleaner.h"
#include "harness/trial/swap_file.h"

namespace heapmark::trial {

// "zram0": the first device below root/sys/block whose size was not set; "" where there is none.
[[nodiscard]] std::string unused_zram(const std::filesystem::path& root = "/");

// Why there can be no such swap, with what to do; "" where nothing is known to be in the way.
// `available_bytes`: memory of the machine that programs can take.
[[nodiscard]] std::string why_no_zram(std::uint64_t bytes, BesideOther beside, std::uint64_t available_bytes,
                                      const std::filesystem::path& root = "/", uid_t user = ::geteuid());

class ZramSwap {
 public:
  // Throws SwapRefused, whose message says why there can be none and what to do.
  ZramSwap(std::uint64_t bytes, BesideOther beside);
  ZramSwap(const ZramSwap&) = delete;
  ZramSwap& operator=(const ZramSwap&) = delete;

  [[nodiscard]] const std::string& device() const { return device_; }

 private:
  std::string device_;
  Cleaner cleaner_;  // takes it out of use and resets it, at the end of this object or of the tool
};

}  // namespace heapmark::trial
