// What an address that a program hands back is: a live block and the class of its size, or the end of the
// process with a line on standard error. Of an object it reads the page map's entry and the slab's bitmaps,
// of most blocks the entry alone.
#pragma once

#include "allocators/brkmmap/die.h"
#include "allocators/brkmmap/heap.h"
#include "allocators/brkmmap/object.h"

namespace brkmmap {

// `index` is the class of the thread cache that takes the block, kClasses where none does.
struct Found {
  PageEntry entry;
  std::size_t index;
};

[[gnu::noinline, gnu::cold, noreturn]] inline void die_of(PageEntry entry, const void* block,
                                                          const char* doing) noexcept {
  const bool in_slab = entry.is_slab() && reinterpret_cast<std::uintptr_t>(block) % kAlignment == 0;
  const bool is_free = in_slab && static_cast<const Object*>(block)->is_free();
  die(is_free ? kFreeAlready : doing, block);
}

// Of an object of a slab.
[[gnu::always_inline]] inline std::size_t class_of_object(PageEntry entry, const void* block,
                                                          const char* doing) noexcept {
  const std::size_t shift = granule_shift(entry.kind());
  const std::size_t offset = entry.page() * kPageSize + reinterpret_cast<std::uintptr_t>(block) % kPageSize;
  const std::size_t granule = offset >> shift;
  if (granule << shift != offset || !slab::is_start(*entry.span(), granule)) [[unlikely]]
    die_of(entry, block, doing);
  return class_in_slab(entry.kind(), slab::length(*entry.span(), granule));
}

// Of a block or mapping.
[[gnu::always_inline]] inline std::size_t class_of_block(PageEntry entry, const void* block,
                                                         const char* doing) noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(block);
  const bool begins = (address & (kPageSize - 1)) == entry.unit() << kUnitShift;
  if (!begins || entry.span() == nullptr) [[unlikely]]
    die_of(entry, block, doing);
  return entry.has_class() ? entry.index() : kClasses;
}

inline Found find(const void* block, const char* doing) noexcept {
  const PageEntry entry = page_map.get(reinterpret_cast<std::uintptr_t>(block));
  if (!entry.is_slab()) return {entry, class_of_block(entry, block, doing)};
  return {entry, class_of_object(entry, block, doing)};
}

// What the program may write of it.
inline std::size_t usable_bytes(const Found& found) noexcept {
  if (found.index != kClasses) return class_bytes(found.index);
  return found.entry.span()->bytes();
}

}  // namespace brkmmap
