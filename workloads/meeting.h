// A point at which the threads of a workload wait for one another, asleep, so that none of them takes CPU
// time while the first waits for its process's turn. To be used again and again.
#pragma once

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>

namespace heapmark {

class Meeting {
 public:
  void set_threads(std::uint32_t threads) { threads_ = threads; }

  // Returns once all threads have called it.
  void wait() {
    const std::uint32_t now = step_.load();
    if (arrived_.fetch_add(1) + 1 == threads_) {
      arrived_.store(0);
      step_.store(now + 1);
      syscall(SYS_futex, &step_, FUTEX_WAKE_PRIVATE, 1 << 30, nullptr, nullptr, 0);
      return;
    }
    while (step_.load() == now) syscall(SYS_futex, &step_, FUTEX_WAIT_PRIVATE, now, nullptr, nullptr, 0);
  }

 private:
  std::uint32_t threads_ = 1;
  std::atomic<std::uint32_t> arrived_{0}, step_{0};
};

}  // namespace heapmark
