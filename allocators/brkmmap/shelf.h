// Chains of free objects of one class that all threads share: what one thread has too much of, another or the
// same takes later, whole and in one step, without bitmaps, page heap or their locks. Holds chains only, and
// knows no limits: how much may lie here is the heap's to say. Each class has a lock of its own, the
// innermost but for the list of threads.
#pragma once

#include "allocators/brkmmap/lock.h"
#include "allocators/brkmmap/object.h"
#include "allocators/brkmmap/size_classes.h"

namespace brkmmap {

struct Chain {
  Object* head = nullptr;
  std::uint32_t count = 0;
};

class Shelf {
 public:
  // Keeps `bytes` at what lies here.
  explicit constexpr Shelf(std::atomic<std::size_t>& bytes) noexcept : bytes_(bytes) {}

  // The chain of the class that was put last: its memory is warm. Empty where there is none.
  Chain take(std::size_t index) noexcept {
    Place& place = places_[index];
    if (place.chains.load(std::memory_order_relaxed) == 0) [[likely]]
      return {};
    Guard guard(place.lock);
    const std::uint32_t chains = place.chains.load(std::memory_order_relaxed);
    if (chains == 0) return {};
    const Chain chain = place.chain[chains - 1];
    place.chains.store(chains - 1, std::memory_order_relaxed);
    bytes_.fetch_sub(chain.count * class_bytes(index), std::memory_order_relaxed);
    return chain;
  }
  // False where there is no room for it.
  [[nodiscard]] bool put(std::size_t index, const Chain& chain) noexcept {
    Place& place = places_[index];
    Guard guard(place.lock);
    const std::uint32_t chains = place.chains.load(std::memory_order_relaxed);
    if (chains == kMost) return false;
    place.chain[chains] = chain;
    place.chains.store(chains + 1, std::memory_order_relaxed);
    bytes_.fetch_add(chain.count * class_bytes(index), std::memory_order_relaxed);
    return true;
  }
  std::size_t bytes() const noexcept { return bytes_.load(std::memory_order_relaxed); }

  // For fork.
  void lock() noexcept {
    for (Place& place : places_) place.lock.lock();
  }
  void unlock() noexcept {
    for (Place& place : places_) place.lock.unlock();
  }

 private:
  static constexpr std::uint32_t kMost = 15;  // chains of a class
  struct alignas(64) Place {
    Lock lock;
    std::atomic<std::uint32_t> chains{0};
    Chain chain[kMost] = {};
  };

  Place places_[kClasses];
  std::atomic<std::size_t>& bytes_;
};

}  // namespace brkmmap
