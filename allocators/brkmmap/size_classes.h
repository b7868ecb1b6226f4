// The size classes. Small objects lie in slabs; a slab is of one kind, and each kind serves sizes up to twice
// those of the kind below it, in granules twice as large:
//     kind   granule   objects            slab
//     0        16 B        1 to  384 B    1 page
//     1        32 B      385 to  768 B    2 pages
//     2        64 B      769 B to 1.5 KiB  4 pages
//     3       128 B      up to 3 KiB      8 pages
//     4       256 B      up to 6 KiB     16 pages
//     5       512 B      up to 12 KiB    32 pages
// Above kind 0 an object has 13 to 24 granules and a slab holds at least ten of them: rounding up costs at
// most a twelfth of a size, and what a slab cannot fill at its end at most an eleventh of it. Blocks up to 64
// KiB are in steps of 1 KiB and come from the page heap. A test holds the table against a naive computation.
#pragma once

#include <bit>

#include "allocators/brkmmap/span.h"

namespace brkmmap {

inline constexpr std::size_t kKinds = 6;
inline constexpr std::size_t kLeastShift = 4;                          // of a granule of kind 0
inline constexpr std::size_t kMostGranules = 24;                       // of an object
inline constexpr std::size_t kMaxTiny = kMostGranules << kLeastShift;  // of kind 0
inline constexpr std::size_t kMaxSmall = kMaxTiny << (kKinds - 1);     // larger ones are blocks
inline constexpr std::size_t kMaxCached = 64 * 1024;                   // larger ones have no class

constexpr std::size_t granule_shift(std::size_t kind) noexcept {
  return kLeastShift + kind;
}
constexpr std::size_t slab_pages(std::size_t kind) noexcept {
  return kGranules << granule_shift(kind) >> kPageShift;
}
constexpr std::size_t granules_a_page(std::size_t kind) noexcept {
  return kPageSize >> granule_shift(kind);
}
// Precondition: 1 <= bytes <= kMaxSmall.
constexpr std::size_t kind_of(std::size_t bytes) noexcept {
  return static_cast<std::size_t>(std::bit_width((bytes - 1) / kMaxTiny));
}

// The classes in order of size: the objects of each kind by their granules, then blocks by KiB.
inline constexpr std::size_t kStepsAKind = kMostGranules / 2;
inline constexpr std::size_t kFirstBlockClass = kMostGranules + (kKinds - 1) * kStepsAKind;
inline constexpr std::size_t kClasses = kFirstBlockClass + (kMaxCached - kMaxSmall) / 1024;

// Of an object of a slab.
constexpr std::size_t class_in_slab(std::size_t kind, std::size_t granules) noexcept {
  return granules - 1 + kStepsAKind * kind;
}

// The class of a request: 0 counts as 1. Precondition: bytes <= kMaxCached.
constexpr std::size_t class_of(std::size_t bytes) noexcept {
  if (bytes <= kMaxTiny) [[likely]]
    return (bytes - (bytes != 0)) >> kLeastShift;
  if (bytes > kMaxSmall) return kFirstBlockClass + (bytes - kMaxSmall - 1) / 1024;
  const std::size_t kind = kind_of(bytes);
  return class_in_slab(kind, ((bytes - 1) >> granule_shift(kind)) + 1);
}

// The kind of a class of objects.
constexpr std::size_t kind_of_class(std::size_t index) noexcept {
  return index < kMostGranules ? 0 : index / kStepsAKind - 1;
}
constexpr std::size_t granules_of_class(std::size_t index) noexcept {
  return index + 1 - kStepsAKind * kind_of_class(index);
}

constexpr std::size_t compute_class_bytes(std::size_t index) noexcept {
  if (index >= kFirstBlockClass) return kMaxSmall + (index - kFirstBlockClass + 1) * 1024;
  return granules_of_class(index) << granule_shift(kind_of_class(index));
}

struct ClassSizes {
  std::uint32_t bytes[kClasses];
  constexpr ClassSizes() : bytes{} {
    for (std::size_t index = 0; index < kClasses; ++index)
      bytes[index] = static_cast<std::uint32_t>(compute_class_bytes(index));
  }
};
inline constexpr ClassSizes kClassSizes;

constexpr std::size_t class_bytes(std::size_t index) noexcept {
  return kClassSizes.bytes[index];
}

}  // namespace brkmmap
