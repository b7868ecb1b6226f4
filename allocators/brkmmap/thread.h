// What the allocator has in thread-local storage: where the thread's cache is, and the last sixteen frees of
// the smallest objects. Such a free is taken in sixteen frees later, when the cache lines that it needs have
// come. Below half a KiB, so that glibc can place it when the library is loaded late.
#pragma once

#include "allocators/brkmmap/thread_cache.h"

namespace brkmmap {

extern constinit ThreadCache no_cache;

struct Thread {
  static constexpr std::uint32_t kLate = 16;

  ThreadCache* cache = &no_cache;
  const void* latest = nullptr;  // free of these
  std::uint32_t late_at = 0;
  std::uint32_t rest_seen = 0;     // of the heap's rest_state
  std::uint32_t emptied_seen = 0;  // of the hysteresis's times_emptied()
  bool is_armed = false;           // its end will be noticed
  bool has_ended = false;
  const void* late[kLate] = {};  // apart from their entries: looking for one takes a few steps
  PageEntry late_entries[kLate] = {};

  // Takes a free and returns the one that is due, of no block in the beginning.
  [[gnu::always_inline]] Freed exchange(Freed now) noexcept {
    if (latest == now.block) [[unlikely]]
      die(kFreeAlready, now.block);
    const std::uint32_t at = late_at;
    late_at = (at + 1) % kLate;
    latest = now.block;
    const Freed due{const_cast<void*>(late[at]), late_entries[at]};
    late[at] = now.block;
    late_entries[at] = now.entry;
    return due;
  }
  // Takes the one that is due, without another for it.
  Freed take_late() noexcept {
    latest = this;  // no block's address
    return exchange({nullptr, PageEntry()});
  }
  // Whether it was freed and is not taken in yet.
  bool is_late(const void* block) const noexcept {
    bool found = false;
    for (const void* one : late) found |= one == block;
    return found || cache->is_pending(block);
  }
  // Those that are late return to their slabs.
  void flush_late() noexcept;
  std::size_t late_bytes() const noexcept;
  // Everything that the thread and the heap keep beside the page heap is given back.
  void flush() noexcept;
  // To be called now and then: where the program rests, gives back what it does not need.
  bool should_look() const noexcept { return heap.rest_state.load(std::memory_order_relaxed) != rest_seen; }
  void maybe_rest() noexcept {
    if (should_look()) [[unlikely]]
      rest();
  }
  // To be called before the heap is asked: what this thread still holds of a round that is over goes back
  // first, since a few objects, left anywhere, keep whole huge pages from going.
  void maybe_start_anew() noexcept {
    if (heap.hysteresis.times_emptied() != emptied_seen) [[unlikely]]
      start_anew();
  }

 private:
  void rest() noexcept;
  void start_anew() noexcept;
};
static_assert(sizeof(Thread) <= 512);

extern thread_local constinit Thread thread __attribute__((tls_model("initial-exec")));

}  // namespace brkmmap
