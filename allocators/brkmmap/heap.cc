// See heap.h.
#include "allocators/brkmmap/heap.h"

#include <algorithm>

#include "allocators/brkmmap/die.h"

namespace brkmmap {

// Before a new slab is made, the room that other shards have is used: a slab that is half full costs as much
// memory as a full one. Whoever is busy is passed by.
std::size_t Heap::fetch_small(std::size_t shard, std::size_t kind, std::size_t granules,
                              std::size_t alignment, void** objects, std::size_t count) noexcept {
  for (std::size_t step = 0; step < kShards; ++step) {
    Slabs& slabs = shards[(shard + step) % kShards];
    if (!slabs.has_room(kind, granules)) continue;
    if (step == 0) {
      slabs.lock().lock();
    } else if (!slabs.lock().try_lock()) {
      continue;
    }
    const std::size_t got = slabs.fetch(kind, granules, alignment, objects, count, false, pages, map, lock);
    slabs.lock().unlock();
    if (got != 0) return got;
  }
  Guard guard(shards[shard].lock());
  return shards[shard].fetch(kind, granules, alignment, objects, count, true, pages, map, lock);
}

std::size_t Heap::fetch(std::size_t shard, std::size_t index, void** objects, std::size_t count,
                        std::size_t alignment) noexcept {
  if (index < kFirstBlockClass) {
    const std::size_t kind = kind_of_class(index);
    const std::size_t got =
        fetch_small(shard, kind, granules_of_class(index),
                    std::max<std::size_t>(alignment >> granule_shift(kind), 1), objects, count);
    for (std::size_t at = 0; at < got; ++at) static_cast<Object*>(objects[at])->hand_out();
    return got;
  }
  std::size_t dirty_bytes = 0;
  objects[0] = allocate_block(units_for(class_bytes(index)), kUnit, &dirty_bytes);
  return objects[0] != nullptr ? 1 : 0;
}

void Heap::give_back(Object* list) noexcept {
  take_back(list);
  settle();
}

void Heap::give_back(const Freed* freed, std::size_t count) noexcept {
  take_back(freed, count);
  settle();
}

void Heap::take_back(Object* list) noexcept {
  constexpr std::size_t kAtOnce = 16;
  while (list != nullptr) {
    Freed freed[kAtOnce];
    std::size_t count = 0;
    for (; list != nullptr && count != kAtOnce; list = list->next) {
      if (!list->is_free()) die(kWrittenTo, list);
      freed[count++] = {list, map.get(reinterpret_cast<std::uintptr_t>(list))};
    }
    take_back(freed, count);
  }
}

void Heap::take_back(const Freed* freed, std::size_t count) noexcept {
  // Most of these lines are in no cache: they are asked for early, the descriptions here, and those of a
  // slab's neighbours in its list, where it may change lists, some steps ahead.
  constexpr std::size_t kAhead = 4;
  for (std::size_t at = 0; at < count; ++at) prefetch(freed[at].entry.span());
  Slabs* held = nullptr;
  for (std::size_t at = 0; at < count; ++at) {
    const PageEntry entry = freed[at].entry;
    Span* span = entry.span();
    if (!entry.is_slab()) {
      take_back(span);
      continue;
    }
    Slabs& slabs = shards[span->shard];
    if (&slabs != held) {
      if (held != nullptr) held->lock().unlock();
      slabs.lock().lock();
      held = &slabs;
    }
    if (at + kAhead < count && freed[at + kAhead].entry.is_slab())
      slabs.expect(freed[at + kAhead].entry.span());
    const std::size_t granule = slab::granule_of(*span, freed[at].block);
    if (!slab::is_start(*span, granule)) die(kFreeAlready, freed[at].block);
    slabs.give_back(span, granule, pages, map, lock);
    if (entry.kind() != 0) slabs.purge_if_due(tunables, hysteresis.last(), kernel);
  }
  if (held != nullptr) held->lock().unlock();
}

void* Heap::allocate_block(std::size_t units, std::size_t alignment, std::size_t* dirty_bytes) noexcept {
  Guard guard(lock);
  Span* span = pages.allocate(units, dirty_bytes, alignment);
  if (span == nullptr) return nullptr;
  map.set(span->start, PageEntry::of_block(span));
  auto* block = reinterpret_cast<Object*>(span->start);
  if (*dirty_bytes != 0) block->hand_out();  // it may have been in a list before
  return block;
}

bool Heap::resize_block(Span* span, std::size_t units) noexcept {
  Guard guard(lock);
  if (!pages.resize(span, units)) return false;
  map.set(span->start, PageEntry::of_block(span));
  return true;
}

void Heap::free_block(Span* span) noexcept {
  take_back(span);
  settle();
}

void Heap::take_back(Span* span) noexcept {
  Guard guard(lock);
  map.set(span->start, PageEntry());
  pages.free(span);
}

bool Heap::trim(std::size_t pad) noexcept {
  const std::uint64_t before = kernel.purges.calls.load(std::memory_order_relaxed);
  for (Slabs& slabs : shards) {
    Guard guard(slabs.lock());
    slabs.purge(0, kernel);
  }
  Guard guard(lock);
  const bool any = pages.trim(pad);
  return any || kernel.purges.calls.load(std::memory_order_relaxed) != before;
}

bool Heap::release_within_slabs() noexcept {
  clear_shelf();
  bool any = false;
  for (Slabs& slabs : shards) {
    Guard guard(slabs.lock());
    any |= slabs.release(pages, lock);
  }
  return any;
}

void Heap::clear_shelf() noexcept {
  for (std::size_t index = 0; index < kClasses; ++index)
    for (Chain chain = shelf.take(index); chain.head != nullptr; chain = shelf.take(index))
      take_back(chain.head);
}

// Where the program frees: what is kept beside the page heap goes once it is too much.
void Heap::settle() noexcept {
  mappings.settle(hysteresis.last_live_bytes());
  if (shelf.bytes() != 0 && shelf.bytes() > most_on_shelf()) [[unlikely]]
    clear_shelf();
  note_excess();
}

void Heap::set_excess(bool is) noexcept {
  if (is) {
    excess_since.store(os::milliseconds(), std::memory_order_relaxed);
    rest_state.fetch_or(1, std::memory_order_relaxed);
  } else {
    rest_state.fetch_and(~std::uint32_t{1}, std::memory_order_relaxed);
  }
}

void Heap::rest_if_due() noexcept {
  std::uint32_t state = rest_state.load(std::memory_order_relaxed);
  if ((state & 1) == 0 || os::milliseconds() - excess_since.load(std::memory_order_relaxed) < kRestAfter)
    return;
  // Whatever comes of it, the next attempt is a while away; of several threads one does it.
  if (!rest_state.compare_exchange_strong(state, state + 1, std::memory_order_relaxed)) return;
  clear_shelf();
  mappings.rest();
  for (Slabs& slabs : shards) {
    Guard guard(slabs.lock());
    slabs.purge(0, kernel);
  }
  {
    Guard guard(lock);
    pages.rest();
  }
  note_excess();
}

}  // namespace brkmmap
