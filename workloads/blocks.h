// What a workload does with a block that it was given: touches it, and, in checking mode, fills it with a
// pattern of its own and later looks whether the pattern is still there (an overlap or a lost page would
// change it).
#pragma once

#include <cstddef>
#include <cstdint>

#include "workloads/calls.h"
#include "workloads/context.h"

namespace heapmark {

struct Block {
  void* memory;
  std::uint64_t bytes;
  std::uint64_t identity;  // for the pattern of the checking mode
};

// Writes to each page of the block, to its first and to its last byte.
inline void touch_pages(void* block, std::size_t bytes) {
  constexpr std::uintptr_t kPage = 4096;
  volatile char* const first = static_cast<char*>(block);
  first[0] = 1;
  const auto address = reinterpret_cast<std::uintptr_t>(block);
  for (std::uintptr_t page = (address / kPage + 1) * kPage; page < address + bytes; page += kPage)
    first[page - address] = 1;
  first[bytes - 1] = 1;
}

inline void fill_pattern(void* block, std::size_t bytes, std::uint64_t identity) {
  unsigned char* const to = static_cast<unsigned char*>(block);
  for (std::size_t at = 0; at < bytes; ++at)
    to[at] = static_cast<unsigned char>(identity * 167 + at * 13 + (at >> 8));
}

inline void verify_pattern(Context& context, const void* block, std::size_t bytes, std::uint64_t identity) {
  const unsigned char* const from = static_cast<const unsigned char*>(block);
  if (reinterpret_cast<std::uintptr_t>(block) % alignof(std::max_align_t) != 0 &&
      bytes >= alignof(std::max_align_t))
    context.fail(Outcome::kCheckFailed, "a block is not aligned for any type (16 bytes)");
  for (std::size_t at = 0; at < bytes; ++at)
    if (from[at] != static_cast<unsigned char>(identity * 167 + at * 13 + (at >> 8)))
      context.fail(Outcome::kCheckFailed,
                   "a live block's contents were changed: blocks overlap, or a page was lost");
}

}  // namespace heapmark
