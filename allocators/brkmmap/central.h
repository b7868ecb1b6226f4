// The central list of one size class: hands batches of objects to threads and takes them back into their
// spans; a span whose last object has come home goes back to the page heap at once. Own lock, taken before
// the heap's.
#pragma once

#include "allocators/brkmmap/lock.h"
#include "allocators/brkmmap/page_heap.h"
#include "allocators/brkmmap/size_classes.h"

namespace brkmmap {

class Central {
 public:
  constexpr Central() = default;
  // Up to `count` objects as a list; *taken says how many. Null where memory has run out.
  Object* fetch(std::size_t index, std::size_t count, std::size_t* taken, PageHeap& pages, PageMap& map,
                Lock& heap_lock) noexcept;
  void give_back(std::size_t index, Object* list, PageHeap& pages, PageMap& map, Lock& heap_lock) noexcept;

  Lock& lock() noexcept { return lock_; }
  std::size_t span_bytes() const noexcept { return span_bytes_; }  // under the lock
  std::size_t out() const noexcept { return out_; }                // objects with threads; under the lock

 private:
  void link(Span* span) noexcept;
  void unlink(Span* span) noexcept;

  Lock lock_;
  Span* partial_ = nullptr;  // spans with an object to give
  std::size_t span_bytes_ = 0;
  std::size_t out_ = 0;
};

// Which object of its span a block is; false where the address is no object's start or was never handed out.
inline bool is_object(const Span& span, std::uintptr_t address) noexcept {
  const SizeClass& row = kSizeClasses[span.size_class];
  const std::uint64_t offset = address - span.start;
  const std::uint64_t index = offset * row.reciprocal >> 32;
  return index * row.size == offset && index < span.carved.load(std::memory_order_relaxed);
}

}  // namespace brkmmap
