// See turns.h. What is read at the two ends of a slice lies outside its wall time.
#include "workloads/host/turns.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "workloads/host/clock.h"

namespace heapmark::host {
namespace {

constexpr std::uint64_t kNever = ~std::uint64_t{0};

void* map_shared(int fd, std::size_t offset, std::size_t bytes) {
  void* memory =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, static_cast<off_t>(offset));
  if (memory == MAP_FAILED) return nullptr;
  for (std::size_t at = 0; at < bytes; at += kSessionPage) {
    volatile char* const page = static_cast<char*>(memory) + at;
    *page = *page;
  }
  return memory;
}

// The second figure of schedstat: nanoseconds that the first thread was runnable and did not run.
std::uint64_t queue_time(int fd) {
  char text[96];
  const ssize_t got = fd < 0 ? -1 : pread(fd, text, sizeof text - 1, 0);
  if (got <= 0) return kNoQueueTime;
  text[got] = '\0';
  const char* at = text;
  while (*at != ' ' && *at != '\0') ++at;
  if (*at != ' ') return kNoQueueTime;
  std::uint64_t value = 0;
  for (++at; *at >= '0' && *at <= '9'; ++at) value = value * 10 + static_cast<std::uint64_t>(*at - '0');
  return value;
}

}  // namespace

bool Turns::join(int session_fd, std::uint32_t seat, int turn_ended_fd) {
  struct stat file {};
  if (fstat(session_fd, &file) != 0 || static_cast<std::size_t>(file.st_size) < session_bytes(seat + 1U))
    return false;
  session_ = static_cast<Session*>(map_shared(session_fd, 0, whole_pages(sizeof(Session))));
  if (session_ == nullptr || session_->magic != kSessionMagic || session_->version != kSessionVersion ||
      seat >= session_->seat_count)
    return false;
  seat_ = static_cast<Seat*>(map_shared(session_fd, seat_offset(seat), whole_pages(sizeof(Seat))));
  turn_ended_fd_ = turn_ended_fd;
  schedstat_fd_ = open("/proc/self/schedstat", O_RDONLY | O_CLOEXEC);
  return seat_ != nullptr;
}

void Turns::pin(std::uint32_t threads) {
  seat_->threads = threads;
  cpu_set_t set;
  CPU_ZERO(&set);
  const std::uint32_t wanted = threads < session_->cpu_count ? threads : session_->cpu_count;
  for (std::uint32_t at = 0; at < wanted; ++at) CPU_SET(session_->cpus[at], &set);
  seat_->cpu_count = wanted > 0 && sched_setaffinity(0, sizeof set, &set) == 0 ? wanted : 0;
}

void Turns::wait_for_first_turn() {
  end_turn_and_wait();
}

void Turns::end_turn_and_wait() {
  stop_clocks();
  seat_->ended.fetch_add(1, std::memory_order_release);
  const std::uint64_t one = 1;
  (void)!write(turn_ended_fd_, &one, sizeof one);
  while (seat_->granted.load(std::memory_order_acquire) == turns_)
    syscall(SYS_futex, &seat_->granted, FUTEX_WAIT, turns_, nullptr, nullptr, 0);
  ++turns_;
  seat_->waited_ns = go_on_with_clocks();
}

void Turns::read_counters(Readings& readings) const {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  readings.minor_faults = static_cast<std::uint64_t>(usage.ru_minflt);
  readings.major_faults = static_cast<std::uint64_t>(usage.ru_majflt);
  readings.voluntary_switches = static_cast<std::uint64_t>(usage.ru_nvcsw);
  readings.involuntary_switches = static_cast<std::uint64_t>(usage.ru_nivcsw);
  readings.queue_ns = queue_time(schedstat_fd_);
}

Turns::Readings Turns::read_before() const {
  Readings readings{};
  read_counters(readings);
  readings.cpu_ns = real_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
  readings.wall_ns = real_clock_ns(CLOCK_MONOTONIC);
  return readings;
}

Turns::Readings Turns::read_after() const {
  Readings readings{};
  readings.wall_ns = real_clock_ns(CLOCK_MONOTONIC);
  readings.cpu_ns = real_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
  read_counters(readings);
  return readings;
}

void Turns::begin_slice(std::uint64_t done) {
  slice_begin_ = done;
  at_begin_ = read_before();
}

void Turns::end_slice(std::uint64_t done) {
  const Readings now = read_after();
  const std::uint32_t index = seat_->slice_count.load(std::memory_order_relaxed);
  const auto difference = [](std::uint64_t to, std::uint64_t from) {
    return static_cast<std::uint32_t>(to - from);
  };
  SliceRecord& slice = seat_->slices[index];
  slice.first_unit = slice_begin_;
  slice.units = done - slice_begin_;
  slice.wall_ns = now.wall_ns - at_begin_.wall_ns;
  slice.cpu_ns = now.cpu_ns - at_begin_.cpu_ns;
  slice.queue_ns = now.queue_ns == kNoQueueTime || at_begin_.queue_ns == kNoQueueTime
                       ? kNoQueueTime
                       : now.queue_ns - at_begin_.queue_ns;
  slice.minor_faults = difference(now.minor_faults, at_begin_.minor_faults);
  slice.major_faults = difference(now.major_faults, at_begin_.major_faults);
  slice.voluntary_switches = difference(now.voluntary_switches, at_begin_.voluntary_switches);
  slice.involuntary_switches = difference(now.involuntary_switches, at_begin_.involuntary_switches);
  seat_->slice_count.store(index + 1, std::memory_order_release);
}

// The last record takes all that is left, however long.
std::uint64_t Turns::next_stop(std::uint64_t done) const {
  const std::uint64_t units = session_->slice_units.load(std::memory_order_acquire);
  if (seat_->slice_count.load(std::memory_order_relaxed) + 1 >= kMaxSlices) return kNever;
  return done + (units != 0 ? units : candidate_units_);
}

std::uint64_t Turns::begin(std::uint64_t units) {
  total_units_ = units;
  candidate_units_ = units / (kMaxSlices - 24) + 1;
  end_turn_and_wait();
  begin_slice(0);
  return next_stop(0);
}

// How long a slice is to be, from what its first units took.
std::uint64_t Turns::slice_ns(std::uint64_t elapsed, std::uint64_t units) const {
  const double whole_ns =
      static_cast<double>(elapsed) * static_cast<double>(total_units_) / static_cast<double>(units);
  const double wanted_ns = whole_ns / static_cast<double>(kSlicesWanted);
  if (wanted_ns >= static_cast<double>(session_->most_slice_ns)) return session_->most_slice_ns;
  return wanted_ns > static_cast<double>(session_->least_slice_ns) ? static_cast<std::uint64_t>(wanted_ns)
                                                                   : session_->least_slice_ns;
}

std::uint64_t Turns::reached(std::uint64_t done) {
  if (session_->slice_units.load(std::memory_order_acquire) == 0) {
    const std::uint64_t elapsed = real_clock_ns(CLOCK_MONOTONIC) - at_begin_.wall_ns;
    if (elapsed < slice_ns(elapsed, done - slice_begin_)) {
      candidate_units_ += candidate_units_ / 4 + 1;
      return slice_begin_ + candidate_units_;
    }
    session_->slice_units.store(done - slice_begin_, std::memory_order_release);
  }
  end_slice(done);
  end_turn_and_wait();
  begin_slice(done);
  return next_stop(done);
}

// As if the slice had begun later by as much.
void Turns::resume() {
  const Readings now = read_before();
  at_begin_.wall_ns += now.wall_ns - at_pause_.wall_ns;
  at_begin_.cpu_ns += now.cpu_ns - at_pause_.cpu_ns;
  if (now.queue_ns != kNoQueueTime && at_pause_.queue_ns != kNoQueueTime &&
      at_begin_.queue_ns != kNoQueueTime)
    at_begin_.queue_ns += now.queue_ns - at_pause_.queue_ns;
  at_begin_.minor_faults += now.minor_faults - at_pause_.minor_faults;
  at_begin_.major_faults += now.major_faults - at_pause_.major_faults;
  at_begin_.voluntary_switches += now.voluntary_switches - at_pause_.voluntary_switches;
  at_begin_.involuntary_switches += now.involuntary_switches - at_pause_.involuntary_switches;
}

Turns::Sums Turns::end(std::uint64_t done) {
  end_slice(done);
  // So short a work that it made no whole slice: it is one slice for all.
  if (session_->slice_units.load(std::memory_order_acquire) == 0)
    session_->slice_units.store(kNever / 4, std::memory_order_release);
  seat_->timed_part_over.store(1, std::memory_order_release);
  end_turn_and_wait();
  Sums sums{0, 0};
  for (std::uint32_t at = 0; at < seat_->slice_count.load(std::memory_order_relaxed); ++at) {
    sums.wall_ns += seat_->slices[at].wall_ns;
    sums.cpu_ns += seat_->slices[at].cpu_ns;
  }
  return sums;
}

}  // namespace heapmark::host
