// A lock of four bytes on a futex (Drepper, "Futexes are tricky", mutex 2), because a lock of the C library
// may be interposed and knows an owner: after fork the child opens locks that its parent's thread took. While
// the process has one thread (__libc_single_threaded, glibc 2.32) plain stores do: an atomic exchange would
// wait for all stores to cold lines before it.
#pragma once

#include <linux/futex.h>
#include <sys/single_threaded.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>

namespace brkmmap {

class Lock {
 public:
  constexpr Lock() = default;
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

  void lock() noexcept {
    if (__libc_single_threaded) return word_.store(kTaken, std::memory_order_relaxed);
    std::uint32_t seen = kOpen;
    if (word_.compare_exchange_strong(seen, kTaken, std::memory_order_acquire)) return;
    wait();
  }
  bool try_lock() noexcept {
    if (__libc_single_threaded) return lock(), true;
    std::uint32_t seen = kOpen;
    return word_.load(std::memory_order_relaxed) == kOpen &&
           word_.compare_exchange_strong(seen, kTaken, std::memory_order_acquire);
  }
  void unlock() noexcept {
    if (__libc_single_threaded) return word_.store(kOpen, std::memory_order_relaxed);
    if (word_.exchange(kOpen, std::memory_order_release) == kWaitedFor) futex(FUTEX_WAKE_PRIVATE, 1);
  }

 private:
  static constexpr std::uint32_t kOpen = 0, kTaken = 1, kWaitedFor = 2;

  void wait() noexcept {
    // What a lock here guards takes some hundred nanoseconds, a sleep and its wake-up take microseconds.
    constexpr int kSpins = 1000;
    for (int spin = 0; spin < kSpins; ++spin) {
      std::uint32_t seen = kOpen;
      if (word_.load(std::memory_order_relaxed) == kOpen &&
          word_.compare_exchange_weak(seen, kTaken, std::memory_order_acquire)) {
        return;
      }
      pause();
    }
    while (word_.exchange(kWaitedFor, std::memory_order_acquire) != kOpen)
      futex(FUTEX_WAIT_PRIVATE, kWaitedFor);
  }
  static void pause() noexcept {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
  }
  void futex(int operation, std::uint32_t value) noexcept {
    const int kept = errno;  // a lock inside free() must leave errno alone
    syscall(SYS_futex, &word_, operation, value, nullptr, nullptr, 0);
    errno = kept;
  }

  std::atomic<std::uint32_t> word_{kOpen};
};

class Guard {
 public:
  explicit Guard(Lock& lock) noexcept : lock_(lock) { lock_.lock(); }
  ~Guard() { lock_.unlock(); }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

 private:
  Lock& lock_;
};

}  // namespace brkmmap
