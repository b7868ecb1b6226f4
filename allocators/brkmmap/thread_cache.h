// Free objects that a thread keeps for itself: one list a size class, without lock or atomic
// read-modify-write. How many a list may hold grows while the thread keeps asking for its class and shrinks
// while it only frees, down to nothing: a few objects left in lists would pin as many pages; together the
// lists stay within the tunable thread_cache and, while the thread frees, a share of what lives. Lists of
// blocks (above 8 KiB) begin at nothing and grow only when blocks were given back in vain some times: a block
// freed once is free for all uses at once. Lives in initial-exec TLS; goes home when the thread ends, after
// which (destructors of others may still free) the slabs are used directly.
#pragma once

#include "allocators/brkmmap/die.h"
#include "allocators/brkmmap/heap.h"

namespace brkmmap {

class alignas(64) ThreadCache {
 public:
  static constexpr std::uint32_t kLate = 16;

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
  // An object of a class of slabs at a multiple of `alignment` bytes, at most a page; null where memory has run
  // out.
  void* pop_aligned(std::size_t index, std::size_t alignment) noexcept {
    void* object = pop_kept_aligned(index, alignment);
    return object != nullptr ? object : refill(index, alignment);
  }
  // To be called where an object of the class had to be got elsewhere.
  void miss(std::size_t index) noexcept;
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
  // Takes a free and returns the one whose turn it is now, of no block in the beginning.
  [[gnu::always_inline]] Freed exchange(Freed now) noexcept {
    if (latest_ == now.block) [[unlikely]]
      die(kFreeAlready, now.block);
    Freed& slot = late_[late_at_];
    late_at_ = (late_at_ + 1) % kLate;
    latest_ = now.block;
    const Freed due = slot;
    slot = now;
    return due;
  }
  // Takes the one whose turn it is, without another for it.
  Freed take_late() noexcept {
    latest_ = nullptr;
    const Freed due = late_[late_at_];
    late_[late_at_] = {};
    late_at_ = (late_at_ + 1) % kLate;
    return due;
  }
  // Whether it is one of the frees that are still to be done, or on its way home.
  bool is_late(const void* block) const noexcept {
    bool found = false;
    for (const Freed& late : late_) found |= late.block == block;
    for (std::uint32_t at = 0; at < pending_count_; ++at) found |= pending_[at].block == block;
    return found;
  }
  void flush_late() noexcept;
  // What is on its way goes home.
  void flush_pending() noexcept;
  // Of the frees that are still to be done.
  std::size_t late_bytes() const noexcept;
  // Everything goes home.
  void flush() noexcept;
  // Makes the thread known, so that its end is noticed.
  void prepare() noexcept;
  // Which shard of the slabs the thread asks first.
  std::size_t shard() noexcept {
    prepare();
    return shard_;
  }
  // For the statistics; any thread may ask, the owner's next step may follow.
  std::size_t bytes() const noexcept;

  // Guards the list of all caches; innermost of all locks.
  static Lock& registry_lock() noexcept;
  // Once, from the library's constructor: makes threads flush when they end.
  static void arm_thread_exit() noexcept;
  // In the child of fork: the caches of threads that don't exist there are lost, and no longer counted.
  static void forget_other_threads() noexcept;
  static std::size_t total_bytes() noexcept;  // of all threads

 private:
  struct List {
    Object* head = nullptr;
    std::atomic<std::uint32_t> count{0};
    std::uint32_t most = 0;  // 0 until the first slow step: then every push is slow
  };
  // What only slow steps need of a list.
  struct Habits {
    std::uint32_t head = 0;    // lower half of the list's, at the last overflow
    std::uint8_t surplus = 0;  // overflows one upon the other
    std::uint8_t regrets = 0;  // blocks: how often one was given back and asked for again
    bool asked = false;        // since the last overflow
    bool gave = false;         // since the last refill
  };
  enum class State : std::uint8_t { kNew, kReady, kEnded };
  static constexpr std::uint32_t kPending = 16;
  static constexpr std::size_t kPendingBytes = 16384;
  static constexpr std::uint32_t kFlights = 32;
  static constexpr std::uint8_t kRegrets = 4;
  static constexpr std::uint32_t kPatience = 3;

  static void set_count(List& list, std::uint32_t count) noexcept {
    list.count.store(count, std::memory_order_relaxed);
  }
  void* refill(std::size_t index, std::size_t alignment = kAlignment) noexcept;
  void overflow(std::size_t index, Freed freed) noexcept;
  bool tighten(std::size_t budget, std::size_t spared) noexcept;
  void grow(std::size_t index, std::uint32_t most) noexcept;
  Chain cut(std::size_t index, std::uint32_t most, std::uint32_t keep) noexcept;
  void shrink(std::size_t index, std::uint32_t most, std::uint32_t keep) noexcept {
    heap.give_back(cut(index, most, keep).head);
  }
  bool lay_aside(std::size_t index, Freed freed) noexcept;
  void put_off(std::size_t index, Freed freed) noexcept;
  void empty_lists() noexcept;
  static void at_thread_exit(void* cache) noexcept;

  List lists_[kClasses];
  Habits habits_[kClasses];
  Freed late_[kLate];
  std::uint32_t late_at_ = 0;
  const void* latest_ = nullptr;
  Freed pending_[kPending];  // of any class, on their way home
  std::uint32_t pending_count_ = 0;
  std::uint32_t flights_ = 0;  // home, since the last request that a list could not serve
  std::atomic<std::size_t> pending_bytes_{0};
  std::size_t promised_ = 0;  // bytes that the lists may hold
  std::size_t victim_ = 0;    // whose promise is taken next
  std::size_t shard_ = 0;
  ThreadCache* next_ = nullptr;
  ThreadCache* previous_ = nullptr;
  State state_ = State::kNew;
  bool armed_ = false;
};

extern thread_local constinit ThreadCache thread_cache __attribute__((tls_model("initial-exec")));

}  // namespace brkmmap
