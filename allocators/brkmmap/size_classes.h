// The size classes: requests are rounded up to a granule that is at most an eighth of them, so that at most
// 12.5 % is lost inside a block above 128 bytes:
//     up to   1 KiB   16 bytes   slabs of kind 0, of one page
//     up to   8 KiB  128 bytes   slabs of kind 1, of eight pages
//     up to  64 KiB    1 KiB     blocks of the page heap
// Which of these a request belongs to, its class for the thread cache, and the sizes of classes; tests hold
// the table against a naive computation.
#pragma once

#include "allocators/brkmmap/span.h"

namespace brkmmap {

struct SlabKind {
  std::size_t granule_shift;
  std::size_t most_bytes;  // of an object
  std::size_t pages;       // of a slab
};
inline constexpr SlabKind kSlabKinds[] = {{4, 1024, 1}, {7, 8192, 8}};
inline constexpr std::size_t kKinds = 2;

inline constexpr std::size_t kMostGranules = 64;  // of an object
inline constexpr std::size_t kMaxTiny = kSlabKinds[0].most_bytes;
inline constexpr std::size_t kMaxSmall = kSlabKinds[1].most_bytes;  // larger ones are blocks
inline constexpr std::size_t kMaxCached = 64 * 1024;                // larger ones have no class

// The classes, in order of size: 64 of kind 0, then those of kind 1 and of blocks from 9 granules on.
inline constexpr std::size_t kTinyClasses = kMostGranules;
inline constexpr std::size_t kStepClasses = kMostGranules - 8;
inline constexpr std::size_t kFirstBlockClass = kTinyClasses + kStepClasses;
inline constexpr std::size_t kClasses = kFirstBlockClass + kStepClasses;

// The class of a request: 0 counts as 1. Precondition: bytes <= kMaxCached.
constexpr std::size_t class_of(std::size_t bytes) noexcept {
  if (bytes <= kMaxTiny) [[likely]]
    return (bytes - (bytes != 0)) / 16;
  if (bytes <= kMaxSmall) return kTinyClasses + (bytes - 1) / 128 - 8;
  return kFirstBlockClass + (bytes - 1) / 1024 - 8;
}

constexpr std::size_t class_bytes(std::size_t index) noexcept {
  if (index < kTinyClasses) return (index + 1) * 16;
  if (index < kFirstBlockClass) return (index - kTinyClasses + 9) * 128;
  return (index - kFirstBlockClass + 9) * 1024;
}

// The class of an object of a slab; only objects asked for with an alignment can be of none.
constexpr std::size_t class_in_slab(std::size_t kind, std::size_t granules) noexcept {
  return kind == 0 ? granules - 1 : kTinyClasses + granules - 9;
}

}  // namespace brkmmap
