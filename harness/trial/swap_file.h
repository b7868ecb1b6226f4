// A swap file for the time of a measurement: without swap no page of a heap can go to disk, and major faults
// are a column of zeros. Made, used and removed by the tool itself, as root, and only on a machine that has
// no swap unless it was asked for beside it. And the header that makes a file or device a swap.
#pragma once

#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>

#include "harness/trial/cleaner.h"

namespace heapmark::trial {

// Whether a swap is made on a machine that has one already. The kernel then uses the new one first.
enum class BesideOther { kNo, kYes };

class SwapFile {
 public:
  // Makes a file in `folder` and has the kernel use it. Throws SwapRefused, whose message says why there can
  // be none and what to do; nothing is left behind then.
  SwapFile(const std::filesystem::path& folder, std::uint64_t bytes, BesideOther beside = BesideOther::kNo);
  SwapFile(const SwapFile&) = delete;
  SwapFile& operator=(const SwapFile&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  Cleaner cleaner_;  // removes the file, at the end of this object or of the tool
};

struct SwapRefused : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Why no swap file can be made here, with what to do about it; "" where nothing is known to be in the way.
[[nodiscard]] std::string why_no_swap_file(const std::filesystem::path& folder, std::uint64_t bytes,
                                           BesideOther beside = BesideOther::kNo);

// Writes the header of a swap of `bytes` to the beginning of a file or device. Throws SwapRefused.
void write_swap_header(int fd, std::uint64_t bytes, const std::filesystem::path& path);

// swapon(2) with the flags for `beside`; 0, or errno.
[[nodiscard]] int use_swap(const std::filesystem::path& path, BesideOther beside);

// Swap files of tools that were killed together with their cleaners: takes them out of use and removes them.
// Returns how many.
int remove_left_swap_files(const std::filesystem::path& folder);

}  // namespace heapmark::trial
