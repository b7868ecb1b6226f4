// The one heap of the process: the layers put together, in the order in which they stand on each other, and
// the two ways in which objects of a class travel between a thread and them. Tests make heaps of their own.
#pragma once

#include "allocators/brkmmap/cache_pool.h"
#include "allocators/brkmmap/mmap_source.h"
#include "allocators/brkmmap/shelf.h"
#include "allocators/brkmmap/slabs.h"

namespace brkmmap {

inline constexpr std::size_t kShards = 8;

// A block that was freed and has not returned to its slab or the page heap yet.
struct Freed {
  void* block = nullptr;
  PageEntry entry;  // of its page
};

struct Heap {
  explicit constexpr Heap(PageMap& map_of_pages) noexcept : map(map_of_pages) {
    for (std::size_t at = 0; at < kShards; ++at) shards[at].set_number(at);
  }

  Tunables tunables;
  Kernel kernel;
  Lock lock;  // of hysteresis, metadata, map, pages
  Hysteresis hysteresis;
  Metadata metadata{kernel};
  PageMap& map;
  PageHeap pages{kernel, metadata, map, tunables, hysteresis, lock};
  MmapSource mappings{kernel, metadata, map, pages, tunables, hysteresis, lock};
  Slabs shards[kShards];
  Shelf shelf{kernel.retained.shelf_bytes};
  CachePool cache_pages{kernel, metadata};  // under the lock
  // Bit 0: more is retained than is_excess() allows, since excess_since (milliseconds). The rest counts the
  // times that this was given back: a thread that sees a new number gives back what its cache holds.
  std::atomic<std::uint32_t> rest_state{0};
  std::atomic<std::uint64_t> excess_since{0};
  std::atomic<std::uint64_t> failed_requests{0};
  // What the large caches of all threads hold, and of that the mappings.
  std::atomic<std::size_t> large_cached_bytes{0}, large_cached_mapped_bytes{0}, large_cached_mappings{0};

  // Up to `count` objects of a class into `objects`, those of slabs at multiples of `alignment` bytes, at
  // most a page; returns how many, none where memory has run out.
  std::size_t fetch(std::size_t shard, std::size_t index, void** objects, std::size_t count,
                    std::size_t alignment = kAlignment) noexcept;
  // Takes objects and blocks, of any classes and shards.
  void give_back(const Freed* freed, std::size_t count) noexcept;
  // The same of a list; frees that were written into meanwhile are found.
  void give_back(Object* list) noexcept;
  // What lies on the shelf goes back.
  void clear_shelf() noexcept;
  // The last resort before a request is refused: the shelf is cleared, and free pages inside of slabs give up
  // their addresses. True where any did.
  bool release_within_slabs() noexcept;
  // Bytes that may lie on the shelf now.
  std::size_t most_on_shelf() const noexcept {
    return shelf_limit(hysteresis.last_live_bytes(), hysteresis.last(),
                       kernel.retained.dirty_bytes.load(std::memory_order_relaxed), tunables);
  }
  // Where more is retained than is_excess() allows, sees since when. To be called where memory is given back,
  // and where it is asked for while there is such an excess.
  void note_excess() noexcept {
    // What threads have cached is out of the page heap, and so counts as live there.
    const std::size_t live = hysteresis.last_live_bytes();
    const std::size_t cached = kernel.retained.promised_bytes.load(std::memory_order_relaxed);
    const bool is = is_excess(kernel.retained.total(), live - std::min(live, cached));
    if (is != ((rest_state.load(std::memory_order_relaxed) & 1) != 0)) [[unlikely]]
      set_excess(is);
  }
  // Gives back what is retained, but the caches of threads, where there has been an excess for kRestAfter.
  void rest_if_due() noexcept;
  // malloc_trim: all free pages go back, the top but for `pad` bytes with its addresses. True where any went.
  bool trim(std::size_t pad) noexcept;

  // Whether a request of that size is to be a mapping of its own.
  bool is_mapped_alone(std::size_t bytes) const noexcept {
    return bytes >= tunables.mmap_threshold && mappings.count() < tunables.mmap_max &&
           bytes >= mapped_from(hysteresis.last_live_bytes(), hysteresis.last(), tunables);
  }
  // A block of the page heap; null where memory has run out. What lies behind its first *dirty_bytes is known
  // to read as zero.
  void* allocate_block(std::size_t units, std::size_t alignment, std::size_t* dirty_bytes) noexcept;
  void free_block(Span* span) noexcept;
  // A block or a mapping.
  void free_span(Span* span) noexcept {
    if (!span->is(SpanState::kMapped)) return free_block(span);
    mappings.free(span);
    note_excess();
  }
  // Grows or shrinks a block in place. False, and nothing changed, where what follows isn't free.
  [[nodiscard]] bool resize_block(Span* span, std::size_t units) noexcept;

 private:
  void take_back(const Freed* freed, std::size_t count) noexcept;
  void take_back(Object* list) noexcept;
  void take_back(Span* block) noexcept;
  void settle() noexcept;
  void set_excess(bool is) noexcept;
  std::size_t fetch_small(std::size_t shard, std::size_t kind, std::size_t granules, std::size_t alignment,
                          void** objects, std::size_t count) noexcept;
};

extern constinit PageMap page_map;  // the heap's: apart, so that it lies among the zeroed data
extern constinit Heap heap;

}  // namespace brkmmap
