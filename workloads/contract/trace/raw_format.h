// The layout of a raw recording, APP.raw: what libheapmark-recorder.so writes while a program runs, and what
// harness/trace closes into an .hmtrace. One file holds all processes of a recording. All integers are
// little-endian.
//
//   offset 0      RawControl, shared by the tool and every recorded process: on or off, the budget, counters
//   offset 4096   text of the tool (command line, allocator), "NAME=VALUE" lines, ended by a 0
//   offset 8192   regions, each at a multiple of 4 KiB, claimed by an atomic add on next_offset: an image
//                 (RawImage, 4 KiB) or a chunk (RawChunk and events, at most 64 KiB)
//
// The file is sparse and longer than what is used. A region that was claimed but never written is a hole; a
// reader looks at the next multiple of 4 KiB. A process image is what fork or exec begins. A thread fills one
// chunk that is mapped (its buffer: what it holds survives any death of the process), writes it out as a
// region of its own once it is full, and clears it. A buffer whose (image, thread, sequence) stands in
// another region was written out and not cleared: it is dropped.
//
// Events follow the chunk's header. The first tag of 0 ends them. An event is
//   tag     1 byte: op in bits 0..3, code of the length of `time` in bits 4..5, of `address` in bits 6..7
//   time    kRawLengths[code] bytes: time units since the thread's event before (at first start_time)
//   address kRawLengths[code] bytes, where the op has one: zigzag of (address >> 3) minus that of the
//           thread's event with an address before (0 at the start of a chunk)
//   number  LEB128, where the op has one: bytes asked for, the number of the thread that starts, or pages
//   align   1 byte, kAligned only: log2 of the alignment
// and is complete once its tag, which is written last, is not 0. A time unit is 2^time_shift ticks of the
// counter. A request is written after it was served, and what gives a block up before it is given up. How
// much of a large block was written to is looked at now and then and when the process ends (kRawLooked), and
// before the event that gives it up (kRawWritten).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace heapmark::trace {

inline constexpr std::uint64_t kRawControlMagic = 0x3157415254524d48;  // "HMRTRAW1"
inline constexpr std::uint64_t kRawImageMagic = 0x3147414d49524d48;    // "HMRIMAG1"
inline constexpr std::uint64_t kRawChunkMagic = 0x314b4e4843524d48;    // "HMRCHNK1"
inline constexpr std::uint32_t kRawVersion = 2;
// Version 1 has neither kRawWritten nor kRawLooked; the tool reads both.
inline constexpr std::uint32_t kRawOldestVersion = 1;

inline constexpr std::size_t kRawPage = 4096;
inline constexpr std::size_t kRawChunkBytes = 65536;
inline constexpr std::uint64_t kRawTextOffset = kRawPage;
inline constexpr std::uint64_t kRawFirstRegion = 2 * kRawPage;
inline constexpr std::size_t kRawLongestEvent = 1 + 8 + 8 + 10 + 1;
inline constexpr std::uint8_t kRawLengths[4] = {1, 2, 3, 8};

// Where the file lies: set by the tool for the program and all that it starts.
inline constexpr const char* kRawVariable = "HEAPMARK_RECORD";

enum class RawCounter : std::uint32_t {
  kClockNs,
  kTsc
};  // CLOCK_MONOTONIC; rdtsc where it runs at a constant rate

enum class RawState : std::uint32_t { kWaiting, kOn, kEnded };

// Why it is kEnded while the program may still run.
enum class RawReason : std::uint32_t { kNone, kBudget, kDisk, kTime, kSignal, kAddressSpace };

struct RawControl {
  std::uint64_t magic;
  std::uint32_t version;
  RawCounter counter;
  std::uint32_t time_shift;
  std::int32_t main_pid;  // of the program itself; 0 before it was started
  std::int32_t signal;    // which turns recording on and off; 0: none
  std::uint64_t file_bytes;
  std::uint64_t budget_bytes;
  std::uint64_t start_ticks, start_ns, start_unix_ns;  // one moment: counter, CLOCK_MONOTONIC, CLOCK_REALTIME
  std::uint64_t end_ticks, end_ns;  // another, by the tool when the program has ended; else 0
  double ns_per_tick;               // measured by the tool over 20 ms before the start
  // Read for each event.
  alignas(64) std::atomic<RawState> state;
  std::atomic<RawReason> reason;
  // Changed once a chunk.
  alignas(64) std::atomic<std::uint64_t> next_offset;
  std::atomic<std::uint64_t> used_bytes;
  std::atomic<std::uint32_t> next_image;
  std::atomic<std::uint32_t> images_attached;  // processes that loaded the recorder, with events or without
};
static_assert(sizeof(RawControl) <= kRawPage && std::atomic<RawState>::is_always_lock_free);

struct RawImage {
  std::uint64_t magic;
  std::uint32_t length;  // kRawPage
  std::uint32_t image;
  std::int32_t pid, parent_pid;
  std::uint64_t start_ticks, start_unix_ns;
  std::uint32_t forked;               // 1: by fork, 0: by exec
  std::atomic<std::uint32_t> exited;  // 1: it ended by exit(3) or _exit(2), and was recorded until then
  char command[kRawPage - 128];       // of /proc/PID/cmdline: words ended by 0, cut where too long
  std::atomic<std::uint32_t> tells_written;  // 1: there is a kRawWritten or kRawLooked
};
static_assert(sizeof(RawImage) <= kRawPage);

struct RawChunk {
  std::uint64_t magic;
  std::uint32_t length;  // of the region with this header: a multiple of kRawPage
  std::uint32_t image;
  std::uint32_t thread;     // 0: the thread that the image began with
  std::uint32_t populated;  // bytes of a buffer that have their pages; the recorder's alone
  std::uint64_t sequence;   // 0, 1, ... of the thread
  std::uint64_t start_time;
  std::uint64_t ticks, ns;    // one moment: counter and CLOCK_MONOTONIC
  std::uint64_t file_offset;  // of the buffer; the recorder's alone
};
static_assert(sizeof(RawChunk) == 64);
inline constexpr std::size_t kRawEventsOffset = 64;

enum RawOp : std::uint8_t {
  kRawMalloc = 1,         // address, number
  kRawCalloc = 2,         // address, number
  kRawAligned = 3,        // address, number, align
  kRawFree = 4,           // address
  kRawReallocBegin = 5,   // address of the old block. What follows in this thread:
  kRawReallocEnd = 6,     //   address of the new one, number
  kRawReallocFailed = 7,  //   number; the old block stays
  kRawReallocFreed = 8,   //   null for 0 bytes: the old block is gone
  kRawFailed = 9,         // number: a request that got null
  kRawHidden = 10,   // address: a block of the C library's own for pthread_create; no request of the program
  kRawSpawn = 11,    // number: of a thread that may start now
  kRawEnd = 12,      // the thread ends; what its last destructors free may still follow
  kRawWritten = 13,  // address, number: pages of 4 KiB of the block that have memory, which is given up now
  kRawLooked = 14,   // the same of one that lives on
  kRawOps = 15
};

constexpr bool raw_has_address(unsigned op) {
  return (op >= kRawMalloc && op <= kRawReallocEnd) || op == kRawHidden || op == kRawWritten ||
         op == kRawLooked;
}
constexpr bool raw_has_number(unsigned op) {
  return op <= kRawAligned || op == kRawReallocEnd || op == kRawReallocFailed || op == kRawFailed ||
         op == kRawSpawn || op == kRawWritten || op == kRawLooked;
}

// The counter's time unit: 16 ticks of a time stamp counter (5 to 8 ns), 4 ns of the clock.
inline constexpr std::uint32_t kRawTscShift = 4;
inline constexpr std::uint32_t kRawClockShift = 2;

}  // namespace heapmark::trace
