// The slabs of one shard: hands batches of small objects to threads and takes them back. A request goes to
// the slab whose longest free run is the shortest that suffices, so that full slabs fill and sparse ones
// empty, whatever sizes they hold; an empty slab goes back to the page heap at once, and free pages inside of
// sparse ones to the kernel once they are too many. Threads are spread over several shards, each with a lock
// of its own, taken before the heap's; an object returns to the shard it came from.
#pragma once

#include "allocators/brkmmap/lock.h"
#include "allocators/brkmmap/object.h"
#include "allocators/brkmmap/page_heap.h"
#include "allocators/brkmmap/slab.h"

namespace brkmmap {

class Slabs {
 public:
  constexpr Slabs() = default;

  // Up to `count` objects of so many granules, at a multiple of `alignment` granules, into `objects`. Returns
  // how many: fewer than asked where a new slab would be needed for the rest, none where memory has run out
  // or, without `may_grow`, where no slab has room.
  std::size_t fetch(std::size_t kind, std::size_t granules, std::size_t alignment, void** objects,
                    std::size_t count, bool may_grow, PageHeap& pages, PageMap& map,
                    Lock& heap_lock) noexcept;
  // Takes an object of a slab of this shard back. Caller holds the lock.
  void give_back(Span* slab, std::size_t granule, PageHeap& pages, PageMap& map, Lock& heap_lock) noexcept;
  // One of its objects will be given back soon, if the slab is of this shard. Caller holds the lock.
  void expect(const Span* slab) const noexcept {
    if (slab->shard != number_) return;
    prefetch(slab->left);
    prefetch(slab->right);
  }
  // Where so much is free inside slabs of several pages that it is not worth keeping: gives pages of the
  // sparsest back. Caller holds the lock.
  void purge_if_due(const Tunables& tunables, std::size_t slack, Kernel& kernel) noexcept {
    const std::size_t limit = slab_dirty_limit(object_bytes_ - tiny_object_bytes_, tunables, slack);
    if (resident_free() > std::max(purged_to_ * 2, limit)) [[unlikely]]
      purge(limit / 2, kernel);
  }

  // Where memory has run out: free pages inside of slabs give up their addresses too, until the slab is
  // empty. True where any did. Caller holds the lock.
  bool release(PageHeap& pages, Lock& heap_lock) noexcept;

  // Gives free pages of the sparsest slabs back until `enough` bytes are left. Caller holds the lock.
  void purge(std::size_t enough, Kernel& kernel) noexcept;

  bool has_room(std::size_t kind, std::size_t granules) const noexcept {  // may be outdated where unlocked
    return room_[kind].load(std::memory_order_relaxed) >> (granules - 1) != 0;
  }
  Lock& lock() noexcept { return lock_; }
  std::size_t slab_bytes() const noexcept { return slab_bytes_; }      // under the lock
  std::size_t object_bytes() const noexcept { return object_bytes_; }  // handed out; as well
  constexpr void set_number(std::size_t number) noexcept { number_ = static_cast<std::uint8_t>(number); }

 private:
  static void enter(Span* slab, PageMap& map) noexcept;
  Span* grow(std::size_t kind, PageHeap& pages, PageMap& map, Lock& heap_lock) noexcept;
  // Of slabs of several pages.
  std::size_t resident_free() const noexcept {
    return slab_bytes_ - tiny_slab_bytes_ - (object_bytes_ - tiny_object_bytes_) - purged_bytes_;
  }
  void count_slab(const Span* slab, std::size_t more) noexcept {
    slab_bytes_ += more;
    if (slab->kind == 0) tiny_slab_bytes_ += more;
  }
  void count_objects(const Span* slab, std::size_t more) noexcept {
    object_bytes_ += more;
    if (slab->kind == 0) tiny_object_bytes_ += more;
  }
  void purge_slab(Span* slab, Kernel& kernel) noexcept;
  bool release_slab(Span* slab, PageHeap& pages, Lock& heap_lock) noexcept;
  template <typename Act>
  void each_sparse_list(Act act) noexcept;
  static std::size_t list_of(const Span* slab) noexcept;
  void mark_resident(Span* slab) noexcept;
  void link(Span* slab) noexcept;
  void unlink(Span* slab) noexcept;
  std::size_t carve(Span* slab, std::size_t granules, std::size_t alignment, void** objects,
                    std::size_t count) noexcept;

  alignas(64) Lock lock_;
  std::uint8_t number_ = 0;
  // Slabs by their longest free run, kLists granules and more in the last list; full ones are in none.
  static constexpr std::size_t kLists = 64;
  Span* lists_[kKinds][kLists] = {};
  std::atomic<std::uint64_t> room_[kKinds] = {};  // which lists have a slab
  // Counted up and down in unsigned arithmetic.
  std::size_t slab_bytes_ = 0, tiny_slab_bytes_ = 0;  // of all slabs, of those of kind 0
  std::size_t object_bytes_ = 0, tiny_object_bytes_ = 0;
  std::size_t purged_bytes_ = 0;  // of free pages
  std::size_t purged_to_ = 0;     // what the last purge left resident
};

}  // namespace brkmmap
