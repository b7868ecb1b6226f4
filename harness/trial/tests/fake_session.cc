// See fake_session.h.
#include "harness/trial/tests/fake_session.h"

#include <linux/futex.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "workloads/contract/session.h"

namespace heapmark::fake {
namespace {

constexpr int kFailing = 2;  // index of the slice

Seat* seat;
int turn_ended_fd;
std::uint32_t turns = 0;

std::uint64_t now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(time.tv_nsec);
}

void end_turn_and_wait() {
  seat->ended.fetch_add(1);
  const std::uint64_t one = 1;
  (void)!write(turn_ended_fd, &one, sizeof one);
  while (seat->granted.load() == turns)
    syscall(SYS_futex, &seat->granted, FUTEX_WAIT, turns, nullptr, nullptr, 0);
  ++turns;
}

void fail_as(const std::string& workload) {
  if (workload == "crash in a slice") raise(SIGSEGV);
  if (workload == "hang in a slice")
    for (;;) pause();
  if (workload == "stop in a slice") raise(SIGSTOP);
  if (workload == "die while waiting" && fork() == 0) {
    usleep(2000);
    kill(getppid(), SIGKILL);
    _exit(0);
  }
}

}  // namespace

void take_turns(const SeatArguments& arguments, const std::string& workload) {
  const std::size_t bytes = session_bytes(arguments.seat + 1);
  auto* const memory =
      static_cast<char*>(mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, arguments.session_fd, 0));
  auto* const session = reinterpret_cast<Session*>(memory);
  seat = reinterpret_cast<Seat*>(memory + seat_offset(arguments.seat));
  turn_ended_fd = arguments.turn_ended_fd;
  seat->threads = 1;
  end_turn_and_wait();
  if (workload == "crash in the fill") raise(SIGSEGV);
  end_turn_and_wait();
  for (int at = 0; at < kSlices; ++at) {
    SliceRecord& slice = seat->slices[at];
    slice.first_unit = static_cast<std::uint64_t>(at) * 10;
    slice.units = 10;
    slice.wall_ns = now();
    if (at == kFailing) fail_as(workload);
    usleep(500);
    slice.cpu_ns = now();
    if (session->slice_units.load() == 0) session->slice_units.store(10);
    seat->slice_count.fetch_add(1);
    if (at + 1 == kSlices) seat->timed_part_over.store(1);
    end_turn_and_wait();
  }
  if (workload == "one turn too many") end_turn_and_wait();
}

}  // namespace heapmark::fake
