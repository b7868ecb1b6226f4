// Keeps a process of one thread on the CPU of the thread that follows it with ptrace. At each stop the two
// wake each other in turn and never run at once; across CPUs such a wake-up takes several times as long
// (measured: a million calls in 21 s instead of more than 60). Counts are not affected, times are not taken.
#pragma once

#include <sched.h>
#include <sys/types.h>

namespace heapmark::ledger {

class SharedCpu {
 public:
  SharedCpu() = default;
  SharedCpu(const SharedCpu&) = delete;
  SharedCpu& operator=(const SharedCpu&) = delete;
  ~SharedCpu() { end(); }

  // For the thread that calls and the one that it follows. Once: after end() it does nothing. Where the
  // kernel refuses, both run where they did.
  void begin(pid_t followed);
  // Both run again where they might before.
  void end();
  // The same where the followed one is gone, and its number may be another's by now.
  void end_without_followed();
  [[nodiscard]] bool is_on() const { return followed_ > 0; }
  // The same for another thread, which began with the CPU of the one that started it. While is_on().
  void release(pid_t thread) const;

 private:
  bool was_on_ = false;
  pid_t followed_ = 0;
  cpu_set_t own_cpus_{}, followed_cpus_{};
};

}  // namespace heapmark::ledger
