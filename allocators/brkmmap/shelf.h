// Free blocks of the classes above the slabs, a few of each, that all threads share: what one thread freed
// another takes without the heap's lock. Holds a small share of what lives, so that nothing stays once the
// program has freed its memory. Above: the heap, which decides how much that share is; each class has a lock
// of its own, the innermost.
#pragma once

#include "allocators/brkmmap/die.h"
#include "allocators/brkmmap/lock.h"
#include "allocators/brkmmap/object.h"
#include "allocators/brkmmap/size_classes.h"

namespace brkmmap {

class Shelf {
 public:
  constexpr Shelf() = default;

  // A block of the class, or null where there is none.
  Object* take(std::size_t index) noexcept {
    Place& place = places_[index - kFirstBlockClass];
    if (place.count.load(std::memory_order_relaxed) == 0) return nullptr;
    Guard guard(place.lock);
    const std::uint32_t count = place.count.load(std::memory_order_relaxed);
    if (count == 0) return nullptr;
    Object* block = place.blocks[count - 1];
    place.count.store(count - 1, std::memory_order_relaxed);
    bytes_.fetch_sub(class_bytes(index), std::memory_order_relaxed);
    if (!block->is_free()) die("a free block was written to, or is there twice by a double free", block);
    return block;
  }
  // False where there is no room for it.
  bool put(std::size_t index, Object* block) noexcept {
    const std::size_t size = class_bytes(index);
    if (bytes() + size > limit_.load(std::memory_order_relaxed)) return false;
    Place& place = places_[index - kFirstBlockClass];
    Guard guard(place.lock);
    const std::uint32_t count = place.count.load(std::memory_order_relaxed);
    if (count == kMost) return false;
    place.blocks[count] = block;
    place.count.store(count + 1, std::memory_order_relaxed);
    bytes_.fetch_add(size, std::memory_order_relaxed);
    return true;
  }
  std::size_t bytes() const noexcept { return bytes_.load(std::memory_order_relaxed); }
  bool is_over_limit() const noexcept { return bytes() > limit_.load(std::memory_order_relaxed); }
  void set_limit(std::size_t bytes) noexcept { limit_.store(bytes, std::memory_order_relaxed); }

 private:
  static constexpr std::uint32_t kMost = 14;  // of a class
  struct alignas(64) Place {
    Lock lock;
    std::atomic<std::uint32_t> count{0};
    Object* blocks[kMost] = {};
  };

  Place places_[kClasses - kFirstBlockClass];
  alignas(64) std::atomic<std::size_t> bytes_{0};
  std::atomic<std::size_t> limit_{0};
};

}  // namespace brkmmap
