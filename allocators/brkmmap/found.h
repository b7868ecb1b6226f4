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

// Of an object of a slab of the kind.
template <std::size_t kKind>
[[gnu::always_inline]] inline std::size_t class_of_object(PageEntry entry, const void* block,
                                                          const char* doing) noexcept {
  constexpr std::size_t kShift = kSlabKinds[kKind].granule_shift;
  const std::size_t in_page = reinterpret_cast<std::uintptr_t>(block) % kPageSize;
  const std::size_t offset = kKind == 0 ? in_page : entry.page() * kPageSize + in_page;
  const std::size_t granule = offset >> kShift;
  if (offset % (std::size_t{1} << kShift) != 0 || !slab::is_start(*entry.span(), granule)) [[unlikely]]
    die_of(entry, block, doing);
  const std::size_t granules = slab::length(*entry.span(), granule);
  // An object asked for with an alignment may be smaller than its kind's least: it has no class.
  return kKind != 0 && granules < 9 ? kClasses : class_in_slab(kKind, granules);
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
  return {entry, entry.kind() == 0 ? class_of_object<0>(entry, block, doing)
                                   : class_of_object<1>(entry, block, doing)};
}

// What the program may write of it.
inline std::size_t usable_bytes(const Found& found, const void* block) noexcept {
  if (found.index != kClasses) return class_bytes(found.index);
  const Span& span = *found.entry.span();
  if (!found.entry.is_slab()) return span.bytes();
  return slab::bytes(span, block);
}

}  // namespace brkmmap
