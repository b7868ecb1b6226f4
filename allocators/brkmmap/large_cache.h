// The last few blocks above 64 KiB that a thread freed, for its next requests of nearly the same size:
// without them each call would take the heap's lock, split and join. Holds nothing until the thread has asked
// some times for what it had just freed, so that a block freed once goes to the heap, or its mapping back to
// the kernel, at once; where sizes vary at random, such requests stay rare among the others and it stays off.
// What it holds counts in the budget of all caches. A block in here is in state kCached, so that a second
// free of it by any thread is found.
#pragma once

#include <array>

#include "allocators/brkmmap/heap.h"

namespace brkmmap {

class LargeCache {
 public:
  constexpr LargeCache() = default;

  // A block of at least so many bytes and at most an eighth more; null where there is none.
  [[nodiscard]] Span* take(std::size_t bytes) noexcept {
    if (!is_on_) [[likely]]
      return note_request(bytes), nullptr;
    for (Span*& slot : slots_) {
      Span* span = slot;
      if (span == nullptr || span->bytes() < bytes || span->bytes() - bytes > bytes / 8) continue;
      slot = nullptr;
      span->state.store(states_[static_cast<std::size_t>(&slot - slots_.data())], std::memory_order_relaxed);
      account(*span, false);
      return span;
    }
    return note_request(bytes), nullptr;
  }
  // False where it is not to be kept: then the caller frees it. `budget_bytes`: of all caches.
  [[nodiscard]] bool put(Span* span, std::size_t budget_bytes) noexcept {
    const std::size_t bytes = span->bytes();
    freed_[at_++ % kSlots] = bytes;
    if (!is_on_ || bytes > kMostBytes) return false;
    for (std::size_t slot = 0; slot < kSlots; ++slot) {
      if (slots_[slot] != nullptr) continue;
      auto& promised = heap.kernel.retained.promised_bytes;
      if (promised.load(std::memory_order_relaxed) + bytes > budget_bytes) return false;
      account(*span, true);
      states_[slot] = span->state.load(std::memory_order_relaxed);
      span->state.store(SpanState::kCached, std::memory_order_relaxed);
      slots_[slot] = span;
      return true;
    }
    return false;
  }
  // Hands every block to give_back(span); the thread has to ask anew some times before any is kept.
  template <typename GiveBack>
  void empty(GiveBack give_back) noexcept {
    for (std::size_t slot = 0; slot < kSlots; ++slot) {
      Span* span = slots_[slot];
      if (span == nullptr) continue;
      slots_[slot] = nullptr;
      span->state.store(states_[slot], std::memory_order_relaxed);
      account(*span, false);
      give_back(span);
    }
    is_on_ = false;
    score_ = 0;
  }
  // Every sixteenth time: a look at the clock costs as much as the rest.
  bool is_time_to_look() noexcept { return (at_ & 15) == 0; }
  std::size_t bytes() const noexcept { return bytes_; }

 private:
  static constexpr std::size_t kSlots = 4;
  static constexpr std::size_t kMostBytes = std::size_t{1} << 20;
  // A request for what was just freed counts so much, any other takes one off: on from one request in five.
  static constexpr std::uint32_t kMatch = 4;
  static constexpr std::uint32_t kOn = 8 * kMatch;

  // A request that is not served here: was one of its size freed lately?
  void note_request(std::size_t bytes) noexcept {
    for (std::size_t& freed : freed_) {
      if (freed < bytes || freed - bytes > bytes / 8) continue;
      freed = 0;
      if ((score_ += kMatch) >= kOn) is_on_ = heap.tunables.dynamic != 0;
      return;
    }
    if (score_ != 0) --score_;
  }
  // Of a span in the state that it has outside of here.
  void account(const Span& span, bool more) noexcept {
    const std::size_t bytes = more ? span.bytes() : -span.bytes(), one = more ? 1 : -std::size_t{1};
    heap.kernel.retained.promised_bytes.fetch_add(bytes, std::memory_order_relaxed);
    heap.large_cached_bytes.fetch_add(bytes, std::memory_order_relaxed);
    bytes_ += bytes;
    if (!span.is(SpanState::kMapped)) return;
    heap.large_cached_mapped_bytes.fetch_add(bytes, std::memory_order_relaxed);
    heap.large_cached_mappings.fetch_add(one, std::memory_order_relaxed);
  }

  std::array<Span*, kSlots> slots_{};
  SpanState states_[kSlots] = {};   // before they came here
  std::size_t freed_[kSlots] = {};  // sizes of the blocks freed last
  std::size_t at_ = 0;
  std::uint32_t score_ = 0;
  bool is_on_ = false;
  std::size_t bytes_ = 0;
};

}  // namespace brkmmap
