// A lockstep session as both sides see it: one shared mapping (a memfd) with a seat for each measured
// process. The harness grants turns, one process at a time; a process runs one slice of its fixed work in a
// turn, writes down what the slice took, ends the turn and sleeps on a futex until it gets the next one.
// Plain structs, so that what was written before a crash can still be read. The harness is woken through an
// eventfd, because it also watches for the end of the process.
//
// The turns of a process: one up to its timed part (it fills its heap), one for each slice, one for what
// comes after the timed part (it frees everything and reports).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace heapmark {

inline constexpr std::uint64_t kSessionMagic = 0x70657473636b636f;
inline constexpr std::uint32_t kSessionVersion = 1;
inline constexpr std::size_t kMaxSlices = 1024;
inline constexpr std::size_t kMaxSessionCpus = 64;

// The first process of a session that gets a slice runs it for this long, and the units of work that it did
// are the length of a slice for all: the share of its timed part, within the bounds. Short slices measure
// cold caches; few slices in a session let the machine change between the turns of one (docs/lockstep.md). No
// part of a slice is left out.
inline constexpr std::uint64_t kLeastSliceNs = 20'000'000, kMostSliceNs = 80'000'000;
inline constexpr std::uint64_t kSlicesWanted = 10;

struct SliceRecord {
  std::uint64_t first_unit, units;  // of the workload's fixed work; the same for all processes of a session
  std::uint64_t wall_ns;            // CLOCK_MONOTONIC
  std::uint64_t cpu_ns;             // of all threads
  std::uint64_t queue_ns;  // first thread: runnable, but its CPU was used by another; see kNoQueueTime
  std::uint32_t minor_faults, major_faults;
  std::uint32_t voluntary_switches, involuntary_switches;  // context switches of all threads
};

inline constexpr std::uint64_t kNoQueueTime = ~std::uint64_t{0};  // this kernel does not tell (schedstat)

struct Seat {
  alignas(64) std::atomic<std::uint32_t> granted;  // turns given by the harness; the process sleeps on it
  alignas(64) std::atomic<std::uint32_t> ended;    // turns ended by the process
  std::atomic<std::uint32_t> timed_part_over;      // 1 from the end of the last slice on
  std::uint32_t threads;                           // that the workload uses at one time
  std::uint64_t waited_ns;                         // by which its clock is behind
  std::uint32_t cpu_count;                         // of the CPUs it was pinned to; 0: pinning was refused
  std::atomic<std::uint32_t> slice_count;
  SliceRecord slices[kMaxSlices];
};

struct Session {
  std::uint64_t magic;
  std::uint32_t version;
  std::uint32_t seat_count;
  std::uint64_t least_slice_ns, most_slice_ns;
  // Units of work in a slice. 0: not chosen yet, the process whose turn it is chooses.
  std::atomic<std::uint64_t> slice_units;
  // In the order in which they are to be used: a workload of one thread runs on the first alone.
  std::uint32_t cpu_count;
  std::uint32_t cpus[kMaxSessionCpus];
};

// Seats follow the session at the next multiple of a page, each a multiple of pages long.
inline constexpr std::size_t kSessionPage = 4096;
constexpr std::size_t whole_pages(std::size_t bytes) {
  return (bytes + kSessionPage - 1) / kSessionPage * kSessionPage;
}
constexpr std::size_t seat_offset(std::size_t seat) {
  return whole_pages(sizeof(Session)) + seat * whole_pages(sizeof(Seat));
}
constexpr std::size_t session_bytes(std::size_t seats) {
  return seat_offset(seats);
}

static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

}  // namespace heapmark
