// heapmark-soak [SECONDS=600]: does the memory of a program that churns for long go on growing?
//     LD_PRELOAD=$PWD/libbrkmmap.so ./heapmark-soak 3600
// Four threads go through four phases of a second each, again and again (kPhases), and end and begin anew
// with each cycle; blocks are passed on, and some live for many cycles. The demand is the same in every
// cycle, so that RSS that grows after the first fifth is the allocator's. Exits 0 at "no growth", 1 at
// growth, 2 where it cannot be said, 3 where a block's contents changed. Owns the load and the sampling; the
// verdict is soak_trend.h's.
#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <iterator>
#include <mutex>
#include <thread>
#include <utility>

#include "allocators/tests/model/model.h"
#include "allocators/tests/model/soak_trend.h"

using heapmark::model::Random;

namespace {

constexpr std::size_t kThreads = 4, kSlots = 2000, kLongLived = 100, kBoxes = 256;
constexpr std::uint64_t kLongLivedOneIn = 20'000;  // operations: at a million a second, they live for seconds
constexpr std::size_t kMostLongLived = 64 << 10;   // few large ones would be the noise in RSS
constexpr std::size_t kMostSeconds = 7 * 24 * 3600;
constexpr double kMebibyte = 1 << 20;

// One second each. `full_percent`: of a thread's slots.
struct Phase {
  std::size_t most_bytes;
  std::uint64_t full_percent;
};
constexpr Phase kPhases[] = {
    {512, 90},                   // many small blocks
    {64 << 10, 60},              // all sizes of the heap
    {std::size_t{1} << 20, 10},  // blocks that are mapped alone, among others
    {512, 5},                    // nearly all freed: memory can be given back
};
constexpr std::uint64_t kCycle = std::size(kPhases);

struct Held {
  std::uint64_t* memory = nullptr;  // its first and last words hold its size in words
  std::size_t words = 0;
};

// Blocks that another thread is to free.
std::mutex box_mutex;
Held box[kBoxes];

struct Worker {
  Random random{0};
  Held slots[kSlots];
};
Worker workers[kThreads];
timespec began;

double seconds_since_start() {
  timespec now;
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec - began.tv_sec) +
         static_cast<double>(now.tv_nsec - began.tv_nsec) / 1e9;
}

[[noreturn]] void fail(const char* text) {
  ::dprintf(STDOUT_FILENO, "%s\n", text);
  _exit(3);
}

// A word in each page makes the block resident, for RSS is what is measured.
void write_into(const Held& held) {
  for (std::size_t at = 0; at < held.words; at += 4096 / 8) held.memory[at] = held.words;
  held.memory[0] = held.memory[held.words - 1] = held.words;
}

void must_be_whole(const Held& held) {
  if (held.memory[0] != held.words || held.memory[held.words - 1] != held.words)
    fail("the contents of a live block changed");
}

// Into an empty place malloc's block; a block that is there, realloc's.
void allocate(Held& held, std::size_t bytes) {
  const std::size_t words = (bytes + 7) / 8;
  if (held.memory != nullptr) must_be_whole(held);
  auto* memory = static_cast<std::uint64_t*>(held.memory == nullptr ? std::malloc(words * 8)
                                                                    : std::realloc(held.memory, words * 8));
  if (memory == nullptr) fail("a request was refused");
  if (held.memory != nullptr && memory[0] != held.words) fail("realloc did not keep the contents");
  held = {memory, words};
  write_into(held);
}

void release(Held& held) {
  must_be_whole(held);
  std::free(held.memory);
  held = {};
}

// The block changes places with one from another thread, which is then ours to free.
void pass_on(Held& held, std::uint64_t where) {
  const std::lock_guard lock(box_mutex);
  std::swap(held, box[where % kBoxes]);
}

void step(Worker& worker, const Phase& phase) {
  Random& random = worker.random;
  const bool is_long_lived = random.below(kLongLivedOneIn) == 0;
  Held& held =
      worker.slots[is_long_lived ? random.below(kLongLived) : kLongLived + random.below(kSlots - kLongLived)];
  if (held.memory != nullptr && random.below(16) == 0) pass_on(held, random.next());
  const bool is_kept = is_long_lived || random.below(100) < phase.full_percent;
  if (held.memory != nullptr && (!is_kept || random.below(8) != 0)) release(held);
  if (is_kept) allocate(held, random.log_uniform(is_long_lived ? kMostLongLived : phase.most_bytes));
}

// Until the cycle ends, or the soak.
void work(Worker& worker, std::uint64_t cycle, std::uint64_t seconds) {
  for (;;) {
    const auto second = static_cast<std::uint64_t>(seconds_since_start());
    if (second >= seconds || second / kCycle != cycle) return;
    for (int at = 0; at < 100; ++at) step(worker, kPhases[second % kCycle]);
  }
}

void churn(std::uint64_t seconds) {
  for (;;) {
    const auto second = static_cast<std::uint64_t>(seconds_since_start());
    if (second >= seconds) return;
    std::thread threads[kThreads];
    for (std::size_t at = 0; at < kThreads; ++at)
      threads[at] = std::thread(work, std::ref(workers[at]), second / kCycle, seconds);
    for (std::thread& thread : threads) thread.join();
  }
}

// From the second field of statm, in pages; by hand, for the observer must not call malloc.
double resident_bytes() {
  char text[128] = {};
  const int fd = ::open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  const ssize_t got = ::read(fd, text, sizeof text - 1);
  ::close(fd);
  if (got <= 0) fail("/proc/self/statm cannot be read");
  char* after_size = nullptr;
  std::strtoul(text, &after_size, 10);
  return static_cast<double>(std::strtoul(after_size, nullptr, 10)) *
         static_cast<double>(::sysconf(_SC_PAGESIZE));
}

double samples[kMostSeconds];  // RSS in bytes, one each second

// In the middle of each second, so that every phase is sampled at the same age.
void observe(std::size_t seconds) {
  for (std::size_t at = 0; at < seconds; ++at) {
    timespec when = began;
    when.tv_sec += static_cast<time_t>(at);
    when.tv_nsec += 500'000'000;
    if (when.tv_nsec >= 1'000'000'000) ++when.tv_sec, when.tv_nsec -= 1'000'000'000;
    while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, nullptr) != 0) {
    }
    samples[at] = resident_bytes();
  }
}

int report(std::size_t seconds) {
  const std::size_t first = seconds / 5;
  const auto trend = heapmark::model::trend_of(samples + first, seconds - first, kCycle);
  if (!trend) {
    std::printf("too short to tell: take 20 seconds or more\n");
    return 2;
  }
  double sums[kCycle] = {}, counts[kCycle] = {};
  for (std::size_t at = first; at < seconds; ++at) sums[at % kCycle] += samples[at], ++counts[at % kCycle];
  std::printf("RSS by phase, mean:");
  for (std::size_t phase = 0; phase < kCycle; ++phase)
    std::printf(" %.1f", sums[phase] / counts[phase] / kMebibyte);
  const double hourly = 3600 / kMebibyte;
  std::printf(" MiB\nslope: %+.2f MiB/hour, 95 %% interval %+.2f to %+.2f (%zu means of %zu s)\n%s\n",
              trend->slope * hourly, trend->low * hourly, trend->high * hourly, trend->batches,
              trend->batch_samples, grows(*trend) ? "growth" : "no growth");
  return grows(*trend) ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t seconds = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 600;
  if (argc > 2 || seconds == 0 || seconds > kMostSeconds) {
    std::fprintf(stderr, "heapmark-soak [SECONDS=600], at most %zu\n", kMostSeconds);
    return 2;
  }
  for (std::size_t at = 0; at < kThreads; ++at) workers[at].random = Random(at + 1);
  ::clock_gettime(CLOCK_MONOTONIC, &began);
  std::thread churning(churn, seconds);
  observe(seconds);
  churning.join();
  return report(seconds);
}
