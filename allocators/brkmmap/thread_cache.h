// Free objects that a thread keeps for itself: one list a size class, bounded by the tunable thread_cache, without
// lock or atomic read-modify-write. A list may hold more where the thread keeps asking for its class, and ever
// less where it only frees: a few objects left in lists would pin as many spans. Lives in initial-exec TLS; goes
// back to the central lists when the thread ends, after which (destructors of others may still free) the central
// lists are used directly.
#pragma once

#include "allocators/brkmmap/heap.h"

namespace brkmmap {

class ThreadCache {
 public:
  // An object of the class, or null where memory has run out.
  [[gnu::always_inline]] void* pop(std::size_t index) noexcept {
    List& list = lists_[index];
    Object* object = list.head;
    if (object == nullptr) [[unlikely]]
      return refill(index);
    list.head = object->next;
    set_count(list, list.count.load(std::memory_order_relaxed) - 1);
    object->mark = 0;
    return object;
  }
  [[gnu::always_inline]] void push(std::size_t index, Object* object) noexcept {
    List& list = lists_[index];
    object->next = list.head;
    list.head = object;
    const std::uint32_t count = list.count.load(std::memory_order_relaxed) + 1;
    set_count(list, count);
    if (count > list.most) [[unlikely]]
      overflow(index);
  }
  void flush() noexcept;
  // For the statistics; any thread may ask, the owner's next step may follow.
  std::size_t bytes() const noexcept;

  // Guards the list of all caches; innermost of all locks.
  static Lock& registry_lock() noexcept;
  // Once, from the library's constructor: makes threads flush when they end.
  static void arm_thread_exit() noexcept;
  // Of all threads. In the child of fork the caches of threads that don't exist there stay counted.
  static std::size_t total_bytes() noexcept;

 private:
  struct List {
    Object* head = nullptr;
    std::atomic<std::uint32_t> count{0};
    std::uint32_t most = 0;   // 0 until the first slow step: then every push is slow
    std::uint32_t bound = 0;  // what `most` may grow to
  };
  enum class State : std::uint8_t { kNew, kReady, kEnded };

  static void set_count(List& list, std::uint32_t count) noexcept {
    list.count.store(count, std::memory_order_relaxed);
  }
  void* refill(std::size_t index) noexcept;
  void overflow(std::size_t index) noexcept;
  void prepare() noexcept;
  static void at_thread_exit(void* cache) noexcept;

  List lists_[kClasses];
  ThreadCache* next_ = nullptr;
  ThreadCache* previous_ = nullptr;
  State state_ = State::kNew;
  bool armed_ = false;
};

extern thread_local constinit ThreadCache thread_cache __attribute__((tls_model("initial-exec")));

}  // namespace brkmmap
