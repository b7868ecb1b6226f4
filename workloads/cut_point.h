// Where the threads of a workload stop together at the end of a slice: all wait until the last has come, then
// the first thread ends the slice (and waits for the process's next turn) while the others sleep, so that
// none of them takes CPU time from the process whose turn it is. Outside a lockstep session no thread ever
// stops.
#pragma once

#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>

#include "workloads/context.h"

namespace heapmark {

class CutPoint {
 public:
  void set_threads(std::uint32_t threads) { threads_ = threads; }

  // To be called by every thread before its unit number `done`, each with the same numbers; `cuts` is the
  // thread's own count of stops, 0 at first. `meanwhile` is called again and again until all have come: what
  // another thread may wait for must be done there.
  template <typename Meanwhile>
  void pass(Context& context, std::uint64_t done, bool first_thread, std::uint32_t& cuts,
            const Meanwhile& meanwhile) {
    if (done < context.next_cut()) [[likely]]
      return;
    ++cuts;
    arrived_.fetch_add(1);
    // Not "!=": who went on may have come to the next stop before another looks here.
    while (static_cast<std::int32_t>(arrived_.load() - threads_ * cuts) < 0) {
      meanwhile();
      if (threads_ > 1) sched_yield();
    }
    if (!first_thread) {
      while (gone_on_.load() != cuts)
        syscall(SYS_futex, &gone_on_, FUTEX_WAIT_PRIVATE, cuts - 1, nullptr, nullptr, 0);
      return;
    }
    context.slice(done);
    gone_on_.store(cuts);
    syscall(SYS_futex, &gone_on_, FUTEX_WAKE_PRIVATE, 1 << 30, nullptr, nullptr, 0);
  }

 private:
  std::uint32_t threads_ = 1;
  alignas(64) std::atomic<std::uint32_t> arrived_{0};
  alignas(64) std::atomic<std::uint32_t> gone_on_{0};  // the last stop that is over
};

}  // namespace heapmark
