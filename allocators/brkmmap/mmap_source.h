// Blocks over the mmap threshold: each a mapping of its own, given back alone, grown and shrunk with mremap.
// Takes the heap's lock itself for the tables, never around munmap. Beside: the page heap, whose free ranges
// give way when the kernel refuses. All sizes are whole pages.
#pragma once

#include "allocators/brkmmap/lock.h"
#include "allocators/brkmmap/page_heap.h"

namespace brkmmap {

class MmapSource {
 public:
  constexpr MmapSource(Kernel& kernel, Metadata& metadata, PageMap& map, PageHeap& pages,
                       Hysteresis& hysteresis, Lock& lock) noexcept
      : kernel_(kernel),
        metadata_(metadata),
        map_(map),
        pages_(pages),
        hysteresis_(hysteresis),
        lock_(lock) {}

  // A zeroed kMapped block; null where the kernel refuses. `alignment` in bytes: a power of two.
  [[nodiscard]] void* allocate(std::size_t pages, std::size_t alignment = kPageSize) noexcept;
  void free(Span* span) noexcept;
  // The block in its new size, moved or not; null, and nothing changed, where the kernel refuses.
  [[nodiscard]] void* resize(Span* span, std::size_t pages) noexcept;

  std::size_t bytes() const noexcept { return bytes_.load(std::memory_order_relaxed); }
  std::size_t count() const noexcept { return count_.load(std::memory_order_relaxed); }

 private:
  void give_back(std::uintptr_t start, std::size_t bytes) noexcept;

  Kernel& kernel_;
  Metadata& metadata_;
  PageMap& map_;
  PageHeap& pages_;
  Hysteresis& hysteresis_;
  Lock& lock_;
  std::atomic<std::size_t> bytes_{0};
  std::atomic<std::size_t> count_{0};
};

}  // namespace brkmmap
