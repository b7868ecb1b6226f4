// See shared_cpu.h.
#include "harness/ledger/shared_cpu.h"

namespace heapmark::ledger {

void SharedCpu::begin(pid_t followed) {
  if (was_on_) return;
  was_on_ = true;
  cpu_set_t one;
  CPU_ZERO(&one);
  if (::sched_getaffinity(0, sizeof own_cpus_, &own_cpus_) != 0 ||
      ::sched_getaffinity(followed, sizeof followed_cpus_, &followed_cpus_) != 0)
    return;
  const int cpu = ::sched_getcpu();
  if (cpu < 0 || cpu >= CPU_SETSIZE || !CPU_ISSET(cpu, &followed_cpus_)) return;
  CPU_SET(cpu, &one);
  if (::sched_setaffinity(followed, sizeof one, &one) != 0) return;
  followed_ = followed;
  if (::sched_setaffinity(0, sizeof one, &one) != 0) end();
}

void SharedCpu::end() {
  if (!is_on()) return;
  release(followed_);
  end_without_followed();
}

void SharedCpu::end_without_followed() {
  if (!is_on()) return;
  (void)::sched_setaffinity(0, sizeof own_cpus_, &own_cpus_);
  followed_ = 0;
}

void SharedCpu::release(pid_t thread) const {
  (void)::sched_setaffinity(thread, sizeof followed_cpus_, &followed_cpus_);
}

}  // namespace heapmark::ledger
