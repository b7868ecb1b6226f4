// The size classes. Small objects lie in slabs; a slab is of one kind:
//     kind   granule   slab       of these sizes, and up
//     0        16 B     1 page    up to 1 KiB, where a page full of them wastes little
//     1        32 B     2 pages   the sizes up to 768 B that kind 0 does not take
//     2        64 B     4 pages   those from 769 B on, and all up to 1.5 KiB
//     3       128 B     8 pages   up to 3 KiB
//     4       256 B    16 pages   up to 6 KiB
//     5       512 B    32 pages   up to 12 KiB
// Kind 0 takes what it can, since objects of one kind share holes. Above it an object has 13 to 24 granules
// and a slab holds at least ten of them: rounding up costs at most a twelfth of a size, and what a slab
// cannot fill at its end at most an eleventh of it. Blocks up to 64 KiB are in steps of 1 KiB and come from
// the page heap. A test holds the table against a naive computation.
#pragma once

#include <algorithm>
#include <bit>

#include "allocators/brkmmap/span.h"

namespace brkmmap {

inline constexpr std::size_t kKinds = 6;
inline constexpr std::size_t kLeastShift = 4;  // of a granule of kind 0
inline constexpr std::size_t kMaxTiny = 1024;  // what kind 0 may hold
inline constexpr std::size_t kTinySteps = kMaxTiny >> kLeastShift;
inline constexpr std::size_t kMostGranules = 24;  // of an object of a kind above
inline constexpr std::size_t kMaxSmall = (kMostGranules << kLeastShift) << (kKinds - 1);  // larger: blocks
inline constexpr std::size_t kMaxCached = 64 * 1024;  // larger ones have no class

constexpr std::size_t granule_shift(std::size_t kind) noexcept {
  return kLeastShift + kind;
}
constexpr std::size_t slab_pages(std::size_t kind) noexcept {
  return kGranules << granule_shift(kind) >> kPageShift;
}
constexpr std::size_t granules_a_page(std::size_t kind) noexcept {
  return kPageSize >> granule_shift(kind);
}
// Whether a page of objects of so many granules costs a request little more than it asks for: its tables are
// counted too.
constexpr bool is_cheap_in_page(std::size_t requested, std::size_t granules) noexcept {
  constexpr std::size_t kMostPercent = 112;
  return (kPageSize + sizeof(Span)) * 100 <=
         (kGranules / granules) * (requested << kLeastShift) * kMostPercent;
}
// The granules of kind 0 that a request of so many is best served with; 0: none.
constexpr std::size_t granules_in_page(std::size_t requested) noexcept {
  constexpr std::size_t kMostMore = 2;
  for (std::size_t granules = requested; granules <= std::min(requested + kMostMore, kTinySteps); ++granules)
    if (requested < kMostGranules || is_cheap_in_page(requested, granules)) return granules;
  return 0;
}
// The kind above 0 of a size. Precondition: 385 <= bytes <= kMaxSmall.
constexpr std::size_t upper_kind_of(std::size_t bytes) noexcept {
  return static_cast<std::size_t>(std::bit_width((bytes - 1) / (kMostGranules << kLeastShift)));
}

// All classes of objects in order of size, and both ways to their numbers.
struct ClassTables {
  std::uint32_t bytes[192] = {};
  std::uint8_t kind[192] = {};
  std::uint8_t granules[192] = {};
  std::uint8_t of_step[kTinySteps + 1] = {};          // class of a request of so many granules of kind 0
  std::uint8_t in_slab[kKinds][kTinySteps + 1] = {};  // class of an object of a slab
  std::size_t count = 0;

  constexpr void add(std::size_t of_kind, std::size_t of_granules) {
    bytes[count] = static_cast<std::uint32_t>(of_granules << granule_shift(of_kind));
    kind[count] = static_cast<std::uint8_t>(of_kind);
    granules[count] = static_cast<std::uint8_t>(of_granules);
    in_slab[of_kind][of_granules] = static_cast<std::uint8_t>(count++);
  }
  constexpr ClassTables() {
    for (std::size_t step = 1; step <= kTinySteps; ++step) {
      const std::size_t tiny = granules_in_page(step);
      const std::size_t above = tiny != 0 ? 0 : upper_kind_of(step << kLeastShift);
      const std::size_t all = tiny != 0 ? tiny : (step + (std::size_t{1} << above) - 1) >> above;
      if (count == 0 || kind[count - 1] != above || granules[count - 1] != all) add(above, all);
      of_step[step] = static_cast<std::uint8_t>(count - 1);
    }
    for (std::size_t size = kMaxTiny; size < kMaxSmall;) {
      const std::size_t above = upper_kind_of(size + 1);
      add(above, (size >> granule_shift(above)) + 1);
      size = bytes[count - 1];
    }
  }
};
inline constexpr ClassTables kClassTables;

// The classes in order of size: objects, then blocks by KiB.
inline constexpr std::size_t kFirstBlockClass = kClassTables.count;
inline constexpr std::size_t kClasses = kFirstBlockClass + (kMaxCached - kMaxSmall) / 1024;

// Of an object of a slab.
constexpr std::size_t class_in_slab(std::size_t kind, std::size_t granules) noexcept {
  return kClassTables.in_slab[kind][granules];
}

// The class of a request: 0 counts as 1. Precondition: bytes <= kMaxCached.
constexpr std::size_t class_of(std::size_t bytes) noexcept {
  if (bytes <= kMaxTiny) [[likely]]
    return kClassTables.of_step[(bytes + 15) >> kLeastShift];
  if (bytes > kMaxSmall) return kFirstBlockClass + (bytes - kMaxSmall - 1) / 1024;
  const std::size_t kind = upper_kind_of(bytes);
  return class_in_slab(kind, ((bytes - 1) >> granule_shift(kind)) + 1);
}

// Of a class of objects.
constexpr std::size_t kind_of_class(std::size_t index) noexcept {
  return kClassTables.kind[index];
}
constexpr std::size_t granules_of_class(std::size_t index) noexcept {
  return kClassTables.granules[index];
}
constexpr std::size_t class_bytes(std::size_t index) noexcept {
  return index < kFirstBlockClass ? kClassTables.bytes[index]
                                  : kMaxSmall + (index - kFirstBlockClass + 1) * 1024;
}

}  // namespace brkmmap
