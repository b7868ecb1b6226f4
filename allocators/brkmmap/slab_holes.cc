// The page heap's part of what slabs do where memory has run out: pages inside of them give up their
// addresses, and when such a slab is empty, its span falls into free ranges and holes.
#include <bit>

#include "allocators/brkmmap/page_heap.h"

namespace brkmmap {

bool PageHeap::release_inside(std::uintptr_t start, std::size_t bytes) noexcept {
  if (!may_split() || !kernel_.unmap(start, bytes)) return false;
  kernel_.pieces.fetch_add(bytes >> kPageShift, std::memory_order_relaxed);
  out_units_ -= bytes >> kUnitShift;
  if (start >= brk_.first() && start + bytes <= brk_.end()) gone_units_ += bytes >> kUnitShift;
  return true;
}

bool PageHeap::can_free_slab(const Span* slab) noexcept {
  const std::uint32_t changes = slab->gone ^ slab->gone
                                                 << 1;  // a bit where a run begins, but for the first page
  return slab->gone == 0 || metadata_.reserve(static_cast<std::size_t>(std::popcount(changes)));
}

void PageHeap::free_slab(Span* slab) noexcept {
  const std::size_t gone = slab->gone;
  if (gone == 0) return free(slab);
  const std::size_t pages = slab->units / kUnitsAPage;
  const bool of_brk = in_brk(slab);
  slab->set_written();  // no slab any more: `gone` is over
  slab->state.store(SpanState::kBlock, std::memory_order_release);
  Span* free_part = nullptr;
  for (std::size_t page = 0; page < pages;) {
    const bool is_gone = gone >> page & 1;
    std::size_t end = page + 1;
    while (end < pages && (gone >> end & 1) == is_gone) ++end;
    Span* rest = nullptr;
    if (end < pages && (rest = split(slab, (end - page) * kUnitsAPage)) == nullptr)
      break;  // cannot be: see the precondition
    if (is_gone) kernel_.pieces.fetch_sub(end - page, std::memory_order_relaxed);  // it counts as a hole now
    page = end;
    if (!is_gone) {
      out_units_ -= slab->units;
      free_part = insert(slab, SpanState::kFree);
    } else if (of_brk) {
      gone_units_ -= slab->units;
      slab->dirty_units = 0;
      insert(slab, SpanState::kHole);
    } else {
      forget_of_segment(slab);
    }
    slab = rest;
  }
  if (free_part != nullptr) settle(free_part);
}

}  // namespace brkmmap
