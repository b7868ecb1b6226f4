// See clock.h. A sequence number lets readers on other threads (an allocator's background thread) see the
// state of before or after a change, never half of it.
#include "workloads/host/clock.h"

#include <dlfcn.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

namespace heapmark::host {
namespace {

using ClockFunction = int (*)(clockid_t, timespec*);

constexpr std::int64_t kSecond = 1'000'000'000;

// Each clock is stopped by its own reading: the coarse one is some milliseconds behind, and taking the time
// of another from it could make it run backwards.
constexpr clockid_t kStopped[] = {CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_MONOTONIC_COARSE,
                                  CLOCK_BOOTTIME};
constexpr int kCount = sizeof kStopped / sizeof kStopped[0];

std::atomic<ClockFunction> real_clock{nullptr};
std::atomic<std::uint32_t> sequence{0};  // odd while a change is made
std::atomic<bool> ever_stopped{false}, stopped{false};
std::atomic<std::int64_t> stopped_at[kCount], waited[kCount];

int index_of(clockid_t clock) {
  for (int at = 0; at < kCount; ++at)
    if (kStopped[at] == clock) return at;
  return -1;
}

int read_clock(clockid_t clock, timespec* out) {
  if (const ClockFunction real = real_clock.load(std::memory_order_relaxed)) return real(clock, out);
  return static_cast<int>(syscall(SYS_clock_gettime, clock, out));
}

std::int64_t nanoseconds(const timespec& time) {
  return static_cast<std::int64_t>(time.tv_sec) * kSecond + time.tv_nsec;
}

std::int64_t own_time(int clock, std::int64_t now) {
  for (;;) {
    const std::uint32_t before = sequence.load(std::memory_order_acquire);
    const std::int64_t seen =
        (stopped.load(std::memory_order_relaxed) ? stopped_at[clock].load(std::memory_order_relaxed) : now) -
        waited[clock].load(std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_acquire);
    if (before % 2 == 0 && sequence.load(std::memory_order_relaxed) == before) return seen;
  }
}

class Change {
 public:
  Change() { sequence.fetch_add(1, std::memory_order_seq_cst); }
  ~Change() { sequence.fetch_add(1, std::memory_order_seq_cst); }
};

}  // namespace

void find_real_clock() {
  real_clock.store(reinterpret_cast<ClockFunction>(dlsym(RTLD_NEXT, "clock_gettime")),
                   std::memory_order_relaxed);
}

std::uint64_t real_clock_ns(clockid_t clock) {
  timespec now{};
  read_clock(clock, &now);
  return static_cast<std::uint64_t>(nanoseconds(now));
}

void stop_clocks() {
  const Change change;
  for (int at = 0; at < kCount; ++at)
    stopped_at[at].store(static_cast<std::int64_t>(real_clock_ns(kStopped[at])), std::memory_order_relaxed);
  stopped.store(true, std::memory_order_relaxed);
  ever_stopped.store(true, std::memory_order_relaxed);
}

std::uint64_t go_on_with_clocks() {
  const Change change;
  for (int at = 0; at < kCount; ++at) {
    const auto now = static_cast<std::int64_t>(real_clock_ns(kStopped[at]));
    waited[at].store(
        waited[at].load(std::memory_order_relaxed) + now - stopped_at[at].load(std::memory_order_relaxed),
        std::memory_order_relaxed);
  }
  stopped.store(false, std::memory_order_relaxed);
  return static_cast<std::uint64_t>(waited[0].load(std::memory_order_relaxed));
}

}  // namespace heapmark::host

// Exported by the linker option --export-dynamic-symbol.
extern "C" int clock_gettime(clockid_t clock, timespec* out) noexcept {
  using namespace heapmark::host;
  const int result = read_clock(clock, out);
  if (result != 0 || !ever_stopped.load(std::memory_order_relaxed)) return result;
  const int index = index_of(clock);
  if (index < 0) return result;
  const std::int64_t own = own_time(index, nanoseconds(*out));
  out->tv_sec = own / kSecond;
  out->tv_nsec = own % kSecond;
  return 0;
}
