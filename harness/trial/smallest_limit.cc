// See smallest_limit.h.
#include "harness/trial/smallest_limit.h"

#include <algorithm>

namespace heapmark::trial {
namespace {

constexpr std::uint64_t kPageBytes = 4096;  // the kernel rounds a limit to whole pages

std::uint64_t whole_pages(std::uint64_t bytes) {
  return (bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
}

bool close_enough(std::uint64_t fails, std::uint64_t completes) {
  const auto resolution = static_cast<std::uint64_t>(static_cast<double>(completes) * kLimitResolution);
  return completes - fails <= std::max(resolution, kPageBytes);
}

}  // namespace

std::optional<std::uint64_t> smallest_limit(std::uint64_t fails_bytes, std::uint64_t enough_bytes,
                                            const std::function<TryEnd(std::uint64_t)>& try_limit) {
  std::uint64_t fails = fails_bytes,
                completes = std::max(whole_pages(enough_bytes), fails_bytes + kPageBytes);
  for (int doubled = 0;; ++doubled) {
    const TryEnd end = try_limit(completes);
    if (end == TryEnd::kCompletes) break;
    if (end == TryEnd::kStop || doubled == kMostDoublings) return std::nullopt;
    fails = completes;
    completes *= 2;
  }
  while (!close_enough(fails, completes)) {
    const std::uint64_t middle = whole_pages(fails + (completes - fails) / 2);
    if (middle >= completes) break;
    switch (try_limit(middle)) {
      case TryEnd::kCompletes:
        completes = middle;
        break;
      case TryEnd::kFails:
        fails = middle;
        break;
      case TryEnd::kStop:
        return std::nullopt;
    }
  }
  return completes;
}

}  // namespace heapmark::trial
