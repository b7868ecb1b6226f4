// What the allocator holds of pages that may have been written and that no block lies on, by where they are.
// Each figure is written by its owner, under its owner's lock, and read by the policy and by anybody else.
#pragma once

#include <atomic>
#include <cstddef>

namespace brkmmap {

struct Retained {
  std::atomic<std::size_t> dirty_bytes{0};     // page heap: free spans
  std::atomic<std::size_t> kept_bytes{0};      // kept mappings
  std::atomic<std::size_t> shelf_bytes{0};     // shelf
  std::atomic<std::size_t> promised_bytes{0};  // thread caches: what they may hold
  std::size_t total() const noexcept {
    constexpr auto order = std::memory_order_relaxed;
    return dirty_bytes.load(order) + kept_bytes.load(order) + shelf_bytes.load(order) +
           promised_bytes.load(order);
  }
};

}  // namespace brkmmap
