// The measured process's side of a lockstep session (workloads/contract/session.h): waits for its turns and
// writes down each slice. Knows nothing of the workload but how many units of work are done.
#pragma once

#include <cstdint>

#include "workloads/contract/session.h"

namespace heapmark::host {

class Turns {
 public:
  // Maps the session and its own seat, pre-faulted. False where `session_fd` is no session with such a seat.
  bool join(int session_fd, std::uint32_t seat, int turn_ended_fd);
  [[nodiscard]] bool joined() const { return seat_ != nullptr; }

  // Pins the process to the session's CPUs, as many as the workload has threads. Before the first wait.
  void pin(std::uint32_t threads);

  // Sleeps until the first turn.
  void wait_for_first_turn();

  // The timed part begins: its first slice waits for a turn. `units`: of the whole timed part, about. Returns
  // the unit at which reached() must be called next.
  std::uint64_t begin(std::uint64_t units);

  // All threads have stopped after `done` units, where they were to. Ends the slice if it is long enough,
  // waits for the next turn, and returns the unit at which to stop next.
  std::uint64_t reached(std::uint64_t done);

  // What happens between these two is no part of the slice.
  void pause() { at_pause_ = read_after(); }
  void resume();

  // The timed part is over after `done` units. Waits for the turn in which the rest is done. Returns the
  // slices' sums; `wall_ns` and `cpu_ns` of all.
  struct Sums {
    std::uint64_t wall_ns, cpu_ns;
  };
  Sums end(std::uint64_t done);

 private:
  struct Readings {
    std::uint64_t wall_ns, cpu_ns, queue_ns;
    std::uint64_t minor_faults, major_faults, voluntary_switches, involuntary_switches;
  };
  [[nodiscard]] Readings read_before() const;  // the wall clock last
  [[nodiscard]] Readings read_after() const;   // the wall clock first
  void read_counters(Readings& readings) const;
  void end_turn_and_wait();
  void begin_slice(std::uint64_t done);
  void end_slice(std::uint64_t done);
  [[nodiscard]] std::uint64_t next_stop(std::uint64_t done) const;
  [[nodiscard]] std::uint64_t slice_ns(std::uint64_t elapsed, std::uint64_t units) const;

  Session* session_ = nullptr;
  Seat* seat_ = nullptr;
  int turn_ended_fd_ = -1;
  int schedstat_fd_ = -1;
  std::uint32_t turns_ = 0;            // that were granted to this process so far
  std::uint64_t total_units_ = 0;      // of the timed part, about
  std::uint64_t candidate_units_ = 0;  // while the length of a slice is being chosen: where to look next
  std::uint64_t slice_begin_ = 0;      // in units
  Readings at_begin_{}, at_pause_{};
};

}  // namespace heapmark::host
