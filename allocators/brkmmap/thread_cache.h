// Free objects that a thread keeps for itself: one list a size class, without lock or atomic
// read-modify-write. How many a list may hold grows while the thread keeps asking for its class and shrinks
// while it only frees, down to nothing: a few objects left in lists would pin as many pages. All threads
// share one budget, a share of what lives, taken by those that use it (policy.h). Lists of blocks (above 12
// KiB) begin empty, so that a block which is freed once can be used for any size at once; such a list grows
// when the thread asks several times for blocks that it had just given back. Lies in a page of its own, since
// thread-local storage is scarce where the library is loaded late (dlopen); thread.h says what lies there. It
// is emptied when the thread ends.
#pragma once

#include "allocators/brkmmap/die.h"
#include "allocators/brkmmap/heap.h"
#include "allocators/brkmmap/large_cache.h"

namespace brkmmap {

class alignas(64) ThreadCache {
 public:
  // Of no thread: holds nothing and takes nothing. What a thread has before its first slow step, after its
  // end, and where no memory for a cache can be had.
  constexpr ThreadCache() = default;
  explicit ThreadCache(std::size_t shard) noexcept : shard_(shard), is_real_(true) {}

  // An object of the class, null where there is none here.
  [[gnu::always_inline]] void* pop_kept(std::size_t index) noexcept {
    List& list = lists_[index];
    Object* object = list.head;
    if (object == nullptr) [[unlikely]]
      return nullptr;
    Object* next = object->next;
    if (!object->is_free()) [[unlikely]]
      die(kWrittenTo, object);
    list.head = next;
    __builtin_prefetch(next);  // it is likely the next to be handed out
    set_count(list, list.count.load(std::memory_order_relaxed) - 1);
    object->hand_out();
    return object;
  }
  // An object of the class, or null where memory has run out.
  void* pop(std::size_t index) noexcept {
    void* object = pop_kept(index);
    return object != nullptr ? object : refill(index);
  }
  // The next object of the class, if there is one here and it happens to lie at a multiple of `alignment`
  // bytes; else null.
  void* pop_kept_aligned(std::size_t index, std::size_t alignment) noexcept {
    const auto address = reinterpret_cast<std::uintptr_t>(lists_[index].head);
    return address != 0 && address % alignment == 0 ? pop_kept(index) : nullptr;
  }
  // An object of a class of slabs at a multiple of `alignment` bytes, at most a page; null where memory has
  // run out.
  void* pop_aligned(std::size_t index, std::size_t alignment) noexcept {
    void* object = pop_kept_aligned(index, alignment);
    return object != nullptr ? object : refill(index, alignment);
  }
  // Nothing of the object is read: it may be cold, and a store does not wait for its line. An object freed
  // twice is in a list twice and is found when it would be handed out again, at the latest. What finds no
  // room in its list is not even written to.
  [[gnu::always_inline]] void push(std::size_t index, Freed freed) noexcept {
    List& list = lists_[index];
    const std::uint32_t count = list.count.load(std::memory_order_relaxed);
    if (count >= list.most) [[unlikely]]
      return overflow(index, freed);
    Object* object = static_cast<Object*>(freed.block);
    object->link(list.head);
    list.head = object;
    set_count(list, count + 1);
  }
  // Whether it is the object of its class that was freed last.
  bool is_last(std::size_t index, const void* block) const noexcept { return lists_[index].head == block; }
  // Whether it is on its way back to its slab.
  bool is_pending(const void* block) const noexcept {
    bool found = false;
    for (std::uint32_t at = 0; at < pending_count_; ++at) found |= pending_[at].block == block;
    return found;
  }
  // What is pending returns to its slabs.
  void flush_pending() noexcept;
  // Everything that the thread keeps is given back.
  void empty() noexcept;
  // Which shard of the slabs the thread asks first.
  std::size_t shard() const noexcept { return shard_; }
  bool is_real() const noexcept { return is_real_; }
  LargeCache& large() noexcept { return large_; }
  // For the statistics; any thread may ask, the owner's next step may follow.
  std::size_t bytes() const noexcept;

  // The calling thread's, made in its first slow step; none (is_real) after its end or where memory has run
  // out.
  static ThreadCache& mine() noexcept;
  // Guards the list of all caches; innermost of all locks.
  static Lock& registry_lock() noexcept;
  // Once, from the library's constructor: makes threads give back what they keep when they end.
  static void arm_thread_exit() noexcept;
  // In the child of fork: the caches of threads that don't exist there are lost, and no longer counted.
  static void forget_other_threads() noexcept;
  static std::size_t total_bytes() noexcept;    // of all threads
  static std::size_t common_budget() noexcept;  // what all threads may keep

 private:
  struct List {
    Object* head = nullptr;
    std::atomic<std::uint32_t> count{0};
    std::uint32_t most = 0;  // 0 until the first slow step: then every push is slow
  };
  // What only slow steps need of a list.
  struct Habits {
    std::uint32_t head = 0;          // lower half of the list's, at the last overflow
    std::uint8_t surplus = 0;        // overflows one upon the other
    std::uint8_t early_returns = 0;  // blocks: times that one was given back too early
    bool asked = false;              // since the last overflow
    bool gave = false;               // since the last refill
  };
  static constexpr std::uint32_t kPending = 16;
  static constexpr std::size_t kPendingBytes = 8192;
  static constexpr std::uint32_t kFlights = 32;
  static constexpr std::uint32_t kAtOnce = 24;  // objects that one call gives back for the sake of the limits
  static constexpr std::uint8_t kEarlyReturns = 4;
  static constexpr std::uint32_t kPatience = 3;

  static void set_count(List& list, std::uint32_t count) noexcept {
    list.count.store(count, std::memory_order_relaxed);
  }
  static void at_thread_exit(void* thread) noexcept;
  static void unregister(ThreadCache& cache) noexcept;
  void* refill(std::size_t index, std::size_t alignment = kAlignment) noexcept;
  void overflow(std::size_t index, Freed freed) noexcept;
  void miss(std::size_t index) noexcept;
  bool claim(std::size_t bytes) noexcept;
  bool tighten(std::size_t budget, std::size_t spared) noexcept;
  void grow(std::size_t index, std::uint32_t most) noexcept;
  std::uint32_t shrink(std::size_t index, std::uint32_t most, std::uint32_t keep) noexcept;
  bool put_on_shelf(std::size_t index, Freed freed) noexcept;
  void put_off(std::size_t index, Freed freed) noexcept;
  bool empty_lists() noexcept;

  List lists_[kClasses];
  Habits habits_[kClasses];
  Freed pending_[kPending];  // of any class, on their way back to their slabs
  std::uint32_t pending_count_ = 0;
  std::uint32_t flights_ = 0;  // flushes of these since the last request that a list could not serve
  std::atomic<std::size_t> pending_bytes_{0};
  std::size_t promised_ = 0;  // bytes that the lists may hold
  std::size_t victim_ = 0;    // whose promise is taken next
  std::size_t shard_ = 0;
  LargeCache large_;
  ThreadCache* next_ = nullptr;
  ThreadCache* previous_ = nullptr;
  bool is_real_ = false;
};
static_assert(sizeof(ThreadCache) <= kPageSize);

}  // namespace brkmmap
