// See slabs.h.
#include "allocators/brkmmap/slabs.h"

#include <algorithm>

#include "allocators/brkmmap/page_bits.h"

namespace brkmmap {
namespace {

std::size_t bytes_of(std::size_t page_bits) noexcept {
  return static_cast<std::size_t>(std::popcount(page_bits)) << kPageShift;
}

}  // namespace

std::size_t Slabs::list_of(const Span* slab) noexcept {
  return std::min<std::size_t>(slab->longest, kLists) - 1;
}

// The lists of slabs of several pages that may have a free page, those with the longest runs first.
template <typename Act>
void Slabs::each_sparse_list(Act act) noexcept {
  for (std::size_t kind = kKinds; --kind != 0;)
    for (std::size_t list = kLists; list-- >= std::min(kLists, granules_a_page(kind));)
      act(lists_[kind][list]);
}

void Slabs::link(Span* slab) noexcept {
  if (slab->longest == 0) return;
  const std::size_t at = list_of(slab);
  Span*& first = lists_[slab->kind][at];
  slab->left = nullptr;
  slab->right = first;
  if (first != nullptr) first->left = slab;
  first = slab;
  auto& room = room_[slab->kind];
  room.store(slab::load(room) | std::uint64_t{1} << at, std::memory_order_relaxed);
}

void Slabs::unlink(Span* slab) noexcept {
  if (slab->longest == 0) return;
  const std::size_t at = list_of(slab);
  Span*& first = lists_[slab->kind][at];
  (slab->left != nullptr ? slab->left->right : first) = slab->right;
  if (slab->right != nullptr) slab->right->left = slab->left;
  auto& room = room_[slab->kind];
  if (first == nullptr) room.store(slab::load(room) & ~(std::uint64_t{1} << at), std::memory_order_relaxed);
}

void Slabs::enter(Span* slab, PageMap& map) noexcept {
  for (std::size_t page = 0; page < slab_pages(slab->kind); ++page)
    map.set(slab->start + page * kPageSize, PageEntry::of_slab(slab, page));
}

Span* Slabs::grow(std::size_t kind, PageHeap& pages, PageMap& map, Lock& heap_lock) noexcept {
  const std::size_t count = slab_pages(kind);
  Guard guard(heap_lock);
  std::size_t dirty_bytes = 0;
  Span* slab = pages.allocate(count * kUnitsAPage, &dirty_bytes, kPageSize);
  if (slab == nullptr) return nullptr;
  for (auto& word : slab->bits) word.store(0, std::memory_order_relaxed);
  slab->kind = static_cast<std::uint8_t>(kind);
  slab->shard = number_;
  slab->purged = 0;
  slab->gone = 0;
  slab->free_granules = slab->longest = kGranules;
  slab->state.store(SpanState::kSlab, std::memory_order_release);
  enter(slab, map);
  count_slab(slab, slab->bytes());
  link(slab);
  return slab;
}

// One walk over the free runs in the order of their addresses: takes what is wanted from the first that can
// give it and learns the longest that stays.
std::size_t Slabs::carve(Span* slab, std::size_t granules, std::size_t alignment, void** objects,
                         std::size_t count) noexcept {
  const std::size_t shift = granule_shift(slab->kind);
  std::uint64_t used[slab::kWords];
  slab::load_used(*slab, used);
  unlink(slab);
  std::size_t got = 0, longest = 0;
  for (std::size_t at = slab::next(used, 0, 0); at < kGranules;) {
    const std::size_t end = slab::next(used, at, 1);
    std::size_t free_from = at;
    if (alignment != 1) {
      const std::size_t aligned = round_up(at, alignment);
      if (got < count && aligned + granules <= end) {
        longest = std::max(longest, aligned - at);
        free_from = aligned;
      }
    }
    while (got < count && end - free_from >= granules && free_from % alignment == 0) {
      slab::set(slab::starts(*slab), free_from);
      slab::set(slab::ends(*slab), free_from + granules - 1);
      objects[got++] = reinterpret_cast<void*>(slab->start + (free_from << shift));
      free_from += granules;
    }
    longest = std::max(longest, end - free_from);
    at = slab::next(used, end, 0);
  }
  if (slab->purged != 0) mark_resident(slab);
  slab->free_granules = static_cast<std::uint16_t>(slab->free_granules - got * granules);
  slab->longest = static_cast<std::uint16_t>(longest);
  link(slab);
  count_objects(slab, got * granules << shift);
  return got;
}

// Pages that objects lie on again.
void Slabs::mark_resident(Span* slab) noexcept {
  std::uint64_t used[slab::kWords];
  slab::load_used(*slab, used);
  const std::size_t bits = granules_a_page(slab->kind);
  for (std::size_t page = 0; page < slab_pages(slab->kind); ++page) {
    if ((slab->purged >> page & 1) == 0 || is_page_free(used, page, bits)) continue;
    slab->purged &= ~(1u << page);
    purged_bytes_ -= kPageSize;
  }
}

// Gives every run of free pages of a slab back that has not gone yet.
void Slabs::purge_slab(Span* slab, Kernel& kernel) noexcept {
  const std::size_t bits = granules_a_page(slab->kind);
  std::uint64_t used[slab::kWords];
  slab::load_used(*slab, used);
  const auto is_due = [&](std::size_t page) {
    return (slab->purged >> page & 1) == 0 && is_page_free(used, page, bits);
  };
  each_run(slab_pages(slab->kind), is_due, [&](std::size_t page, std::size_t end) {
    if (!kernel.purge(slab->start + page * kPageSize, (end - page) * kPageSize)) return;
    slab->purged |= static_cast<std::uint32_t>(bits_of(page, end));
    purged_bytes_ += (end - page) * kPageSize;
  });
}

void Slabs::purge(std::size_t enough, Kernel& kernel) noexcept {
  each_sparse_list([&](Span* first) {
    for (Span* slab = first; slab != nullptr && resident_free() > enough; slab = slab->right)
      purge_slab(slab, kernel);
  });
  purged_to_ = resident_free();
}

bool Slabs::release_slab(Span* slab, PageHeap& pages, Lock& heap_lock) noexcept {
  std::uint64_t used[slab::kWords];
  slab::load_used(*slab, used);
  std::size_t gone = 0;
  const std::size_t bits = granules_a_page(slab->kind);
  const auto is_free = [&](std::size_t page) { return is_page_free(used, page, bits); };
  each_run(slab_pages(slab->kind), is_free, [&](std::size_t page, std::size_t end) {
    Guard guard(heap_lock);
    if (pages.release_inside(slab->start + page * kPageSize, (end - page) * kPageSize))
      gone |= bits_of(page, end);
  });
  if (gone == 0) return false;
  count_slab(slab, -bytes_of(gone));
  purged_bytes_ -= bytes_of(slab->purged & gone);
  unlink(slab);
  slab->purged &= ~static_cast<std::uint32_t>(gone);
  slab->gone |= static_cast<std::uint32_t>(gone);
  slab::load_used(*slab, used);
  std::size_t longest = 0;
  for (std::size_t at = slab::next(used, 0, 0); at < kGranules;) {
    const std::size_t end = slab::next(used, at, 1);
    longest = std::max(longest, end - at);
    at = slab::next(used, end, 0);
  }
  slab->longest = static_cast<std::uint16_t>(longest);
  link(slab);
  return true;
}

bool Slabs::release(PageHeap& pages, Lock& heap_lock) noexcept {
  bool any = false;
  each_sparse_list([&](Span* first) {
    for (Span* slab = first; slab != nullptr;) {
      Span* next = slab->right;  // it goes to a list of shorter runs
      any |= release_slab(slab, pages, heap_lock);
      slab = next;
    }
  });
  return any;
}

std::size_t Slabs::fetch(std::size_t kind, std::size_t granules, std::size_t alignment, void** objects,
                         std::size_t count, bool may_grow, PageHeap& pages, PageMap& map,
                         Lock& heap_lock) noexcept {
  // In a run of so many an aligned object fits wherever the run begins. It may be longer than the lists tell
  // apart: then a slab of the last list is tried, and a new one has room for sure.
  const std::size_t fits = std::min(granules + alignment - 1, kLists);
  std::size_t got = 0;
  bool grown = false;
  while (got < count) {
    const std::uint64_t room = grown ? 0 : slab::load(room_[kind]) >> (fits - 1);
    Span* slab = nullptr;
    if (room != 0) {
      slab = lists_[kind][fits - 1 + static_cast<std::size_t>(std::countr_zero(room))];
    } else {
      if (got != 0 || !may_grow) break;  // what there is will do: no new slab for the rest of a batch
      slab = grow(kind, pages, map, heap_lock);
      if (slab == nullptr) break;
    }
    prefetch(slab->right);  // likely the next one
    const std::size_t more = carve(slab, granules, alignment, objects + got, count - got);
    grown = more == 0;
    got += more;
  }
  return got;
}

void Slabs::give_back(Span* slab, std::size_t granule, PageHeap& pages, PageMap& map,
                      Lock& heap_lock) noexcept {
  const std::size_t granules = slab::length(*slab, granule);
  count_objects(slab, -(granules << granule_shift(slab->kind)));
  slab->free_granules = static_cast<std::uint16_t>(slab->free_granules + granules);
  if (slab->free_granules == kGranules) {
    Guard guard(heap_lock);
    if (pages.can_free_slab(slab)) {  // else it stays as it is, for further objects
      unlink(slab);
      count_slab(slab, bytes_of(slab->gone) - slab->bytes());
      purged_bytes_ -= bytes_of(slab->purged);
      // Where pages are gone, something else may lie by now, a mapping of this heap's too.
      for (std::size_t page = 0; page < slab->bytes() >> kPageShift; ++page)
        if ((slab->gone >> page & 1) == 0) map.set(slab->start + page * kPageSize, PageEntry());
      return pages.free_slab(slab);
    }
  }
  slab::clear(slab::starts(*slab), granule);
  slab::clear(slab::ends(*slab), granule + granules - 1);
  const slab::Run around = slab::run_around(*slab, granule);
  const std::size_t run = around.to - around.from;
  if (run <= slab->longest) return;
  const std::size_t before = std::min<std::size_t>(slab->longest, kLists);
  if (before == std::min<std::size_t>(run, kLists)) {
    slab->longest = static_cast<std::uint16_t>(run);
    return;
  }
  unlink(slab);
  slab->longest = static_cast<std::uint16_t>(run);
  link(slab);
}

}  // namespace brkmmap
