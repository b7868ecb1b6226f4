// What one process and one of its threads know of the recording, and how an event is written: tag, time and
// address into the thread's buffer, without a lock, a call or an atomic read-modify-write. What happens once
// a chunk, a thread, a process or a large block is in recording.cc. Above: malloc_family.cc, operators.cc,
// threads.cc. Below: region.h.
#pragma once

#include <time.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "workloads/contract/trace/format.h"
#include "workloads/contract/trace/raw_format.h"
#include "workloads/trace/recorder/large_blocks.h"

#define HEAPMARK_LIKELY(condition) __builtin_expect(!!(condition), 1)
#define HEAPMARK_UNLIKELY(condition) __builtin_expect(!!(condition), 0)

namespace heapmark::recorder {

using namespace heapmark::trace;

// In a page that the kernel clears in the child of every fork, however made (MADV_WIPEONFORK): a child finds
// `control` null at its first event and begins an image of its own.
struct Process {
  RawControl* control;
  std::atomic<std::uint32_t> image_state;  // 0: none yet, 1: being made, 2: made, 3: could not be made
  std::atomic<std::uint32_t> next_thread;
  RawImage* image;
  bool forked;
  static constexpr std::size_t kFreeBuffers = 256;
  std::atomic<RawChunk*> free_buffers[kFreeBuffers];  // of ended threads, for the next ones
  LargeBlocks large;
  std::atomic<std::uint64_t> looked_time;  // of the latest look at the large blocks, in time units
};

// At first a constant one without a recording.
extern constinit Process* process;

struct Thread {
  unsigned char* at;     // of the next tag; null where the thread has no buffer
  unsigned char* limit;  // at < limit: the longest event fits, and no look at the large blocks is due
  unsigned char* end;    // at < end: the longest event fits
  std::uint64_t time;    // of the latest event, in time units
  std::uint64_t address;
  std::uint64_t sequence;     // of the next chunk
  std::uint64_t allocations;  // recorded so far: tells whether a call within another was recorded
  RawChunk* buffer;
  std::uint32_t number;
  bool numbered;
  bool busy;    // inside the recorder or the allocator: what they call themselves is not recorded
  bool hidden;  // inside pthread_create: see kRawHidden
  bool ended;   // the end is written; each later event is written out at once
  unsigned char destructor_rounds;
};

extern constinit thread_local Thread this_thread __attribute__((tls_model("initial-exec")));

[[nodiscard]] std::uint64_t clock_ticks();  // nanoseconds of CLOCK_MONOTONIC

inline std::uint64_t ticks(const RawControl& control) {
#if defined(__x86_64__)
  if (HEAPMARK_LIKELY(control.counter == RawCounter::kTsc)) return __builtin_ia32_rdtsc();
#endif
  return clock_ticks();
}

// Makes room for an event: false where nothing is recorded (no recording, not on, no room left). Keeps errno.
[[nodiscard]] bool make_room(Thread& thread);
// After an event for which make_room() was called.
void settle(Thread& thread);
// Writes out what a thread that ends holds, and gives its buffer to the next.
void retire(Thread& thread);
// The number for a thread that is about to start.
[[nodiscard]] std::uint32_t new_thread_number();

// A large block is about to be given up: forgets it, and writes down how much of it has memory. Returns its
// size; 0 where it is none, or is not known. The caller has set thread.busy. Keeps errno.
std::size_t record_written(Thread& thread, std::uintptr_t address);

// The process ends by itself.
void note_exit();

// Finds the recording that the environment names, once; does nothing where there is none.
void attach();

inline void store(unsigned char* place, std::uint64_t value) {
  __builtin_memcpy(place, &value, sizeof value);  // a store: -fno-builtin makes memcpy a call
}

inline unsigned length_code(std::uint64_t value) {
  return static_cast<unsigned>(value > 0xff) + static_cast<unsigned>(value > 0xffff) +
         static_cast<unsigned>(value > 0xffffff);
}

inline unsigned length_of(unsigned code) {
  return code + 1 + (code == 3 ? 4 : 0);
}

// There is room. `address` and `number` as the op has them (raw_has_address, raw_has_number), else 0.
template <RawOp op>
inline void put(Thread& thread, std::uintptr_t address, std::uint64_t number, unsigned align_log2 = 0) {
  const RawControl& control = *process->control;
  const std::uint64_t now =
      control.counter == RawCounter::kTsc ? ticks(control) >> kRawTscShift : ticks(control) >> kRawClockShift;
  // Another CPU's counter may be behind by a few ticks.
  const std::uint64_t passed = now > thread.time ? now - thread.time : 0;
  thread.time += passed;
  unsigned char* const tag = thread.at;
  const unsigned time_code = length_code(passed);
  store(tag + 1, passed);
  unsigned char* place = tag + 1 + length_of(time_code);
  unsigned address_code = 0;
  if constexpr (raw_has_address(op)) {
    const std::uint64_t moved = zigzag(static_cast<std::int64_t>((address >> 3) - thread.address));
    thread.address = address >> 3;
    address_code = length_code(moved);
    store(place, moved);
    place += length_of(address_code);
  }
  if constexpr (raw_has_number(op)) {
    while (HEAPMARK_UNLIKELY(number >= 0x4000)) {
      *place++ = static_cast<unsigned char>(number | 0x80);
      number >>= 7;
    }
    // One byte or two without a branch, which sizes around 128 would make hard to predict.
    const unsigned more = number >= 0x80 ? 1 : 0;
    store(place, (number & 0x7f) | more << 7 | (number >> 7) << 8);
    place += 1 + more;
  }
  if constexpr (op == kRawAligned) *place++ = static_cast<unsigned char>(align_log2);
  thread.at = place;
  // Last: an event whose tag is there is complete, whenever the process is killed.
  std::atomic_signal_fence(std::memory_order_release);
  __atomic_store_n(tag, static_cast<unsigned char>(op | time_code << 4 | address_code << 6),
                   __ATOMIC_RELEASE);
}

template <RawOp op>
__attribute__((noinline, cold)) bool record_slowly(Thread& thread, std::uintptr_t address,
                                                   std::uint64_t number, unsigned align_log2) {
  if (!make_room(thread)) return false;
  put<op>(thread, address, number, align_log2);
  settle(thread);
  return true;
}

// Writes the event where recording is on. Returns whether it did. The caller has set thread.busy.
template <RawOp op>
inline bool record(Thread& thread, std::uintptr_t address, std::uint64_t number, unsigned align_log2 = 0) {
  const RawControl* const control = process->control;
  if (HEAPMARK_LIKELY(control != nullptr && control->state.load(std::memory_order_relaxed) == RawState::kOn &&
                      thread.at < thread.limit)) {
    put<op>(thread, address, number, align_log2);
    return true;
  }
  return record_slowly<op>(thread, address, number, align_log2);
}

inline void remember_large(void* block, std::size_t bytes) {
  if (HEAPMARK_UNLIKELY(bytes >= kLargeBytes))
    process->large.add(reinterpret_cast<std::uintptr_t>(block), bytes);
}

// A request that was served by `block`, or failed: null for 0 bytes fails too, as there is nothing to free.
template <RawOp op>
inline void record_request(Thread& thread, void* block, std::uint64_t bytes, unsigned align_log2 = 0) {
  if (HEAPMARK_UNLIKELY(block == nullptr)) {
    record<kRawFailed>(thread, 0, bytes);
    return;
  }
  if (HEAPMARK_UNLIKELY(thread.hidden))
    record<kRawHidden>(thread, reinterpret_cast<std::uintptr_t>(block), 0);
  else if (record<op>(thread, reinterpret_cast<std::uintptr_t>(block), bytes, align_log2))
    remember_large(block, bytes);
  ++thread.allocations;
}

// Before what gives a block up: see record_written.
inline std::size_t look_at_large(Thread& thread, std::uintptr_t address) {
  return HEAPMARK_UNLIKELY(process->large.may_hold(address)) ? record_written(thread, address) : 0;
}

inline void record_free(Thread& thread, std::uintptr_t address) {
  look_at_large(thread, address);
  record<kRawFree>(thread, address, 0);
}

}  // namespace heapmark::recorder
