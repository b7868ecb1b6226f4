// The layout of a trace file (.hmtrace), versions 1 and 2: what the recorder's closing writes, and what the
// replay, `heapmark trace` and any other reader read. docs/trace-format.md explains it. Little-endian
// throughout.
//
//   Header | segments, one zstd frame each | index, one zstd frame: SegmentEntry[segments], then the text
//
// The writer fills the header last: a file whose index_offset is 0 was never finished.
#pragma once

#include <cstddef>
#include <cstdint>

namespace heapmark::trace {

inline constexpr char kMagic[8] = {'H', 'M', 'T', 'R', 'A', 'C', 'E', '\0'};
// Version 2 is version 1, kWritten and kWrite. A file has the oldest version that can hold it.
inline constexpr std::uint32_t kOldestVersion = 1;
inline constexpr std::uint32_t kVersion = 2;
inline constexpr std::uint32_t kByteOrder = 0x01020304;

// What one event of a thread is: the low six bits of its byte of the op column. An op that yields a block
// makes the next object of its thread; an op that gives one up refers to the object by (thread, serial).
enum class Op : std::uint8_t {
  kMalloc = 1,   // size; yields. C++ new and realloc of null as well
  kCalloc = 2,   // size (count times size); yields
  kAligned = 3,  // log2 of the alignment, size; yields
  kRealloc = 4,  // size, ref of the old object; yields a new one, wherever it lies (kStayed)
  kFree = 5,     // ref. delete as well
  kRefused = 6,  // size of a request that returned null; yields nothing
  kSpawn = 7,    // number of the thread that starts
  kEnd = 8,      // the thread's last event
  kWrite = 9,    // ref of an object that lives on, pages of it that were written to by now (version 2)
};

// Set in the op column's byte of a realloc whose block stayed at its address. A replay has no use for it.
inline constexpr unsigned char kStayed = 0x80;
// Set in the op column's byte of an op that yields: how many pages of the block the program wrote to follows
// its size (version 2).
inline constexpr unsigned char kWritten = 0x40;

constexpr bool yields(Op op) {
  return op >= Op::kMalloc && op <= Op::kRealloc;
}
constexpr bool gives_up(Op op) {
  return op == Op::kRealloc || op == Op::kFree;
}
constexpr bool refers(Op op) {
  return gives_up(op) || op == Op::kWrite;
}
constexpr bool has_size(Op op) {
  return yields(op) || op == Op::kRefused;
}

// What was written to of a block is counted in pages of this size, whatever the machine's.
inline constexpr std::uint64_t kPageBytes = 4096;
// Of a block of which the trace does not tell it: all of it may have been written to.
inline constexpr std::uint32_t kNotTold = ~std::uint32_t{0};

constexpr std::uint64_t pages_of(std::uint64_t bytes) {
  return bytes / kPageBytes + (bytes % kPageBytes != 0 ? 1 : 0);
}
// What a block of `size` bytes holds in its first `pages` pages; all of it where that is kNotTold.
constexpr std::uint64_t written_bytes(std::uint64_t size, std::uint32_t pages) {
  return pages == kNotTold || pages >= pages_of(size) ? size : pages * kPageBytes;
}

// Why the recording ended.
enum class End : std::uint32_t {
  kExit = 0,      // the program ended by itself
  kKilled = 1,    // the program was killed, or lost: the trace holds what was written until then
  kDiskFull = 2,  // the program went on
  kBudget = 3,    // --max was reached; the program went on
  kTime = 4,      // --for was over; the program went on
  kSignal = 5,    // the second --signal; the program went on
  kExec = 6,      // the process became another program
  kCut = 7,       // a part of another trace
  kImported = 8,  // made from a trace of another tool
};
inline constexpr std::uint32_t kEnds = 9;

struct Header {
  char magic[8];
  std::uint32_t byte_order;  // kByteOrder as the writing machine stores it
  std::uint32_t version;
  std::uint32_t header_bytes;  // sizeof(Header)
  std::uint32_t end;           // End
  std::uint64_t file_bytes;    // of the whole file: fewer there means that it was truncated
  std::uint64_t index_offset, index_bytes, index_raw_bytes;
  std::uint64_t text_bytes;  // at the end of the index: "key\tvalue\n" lines (command, allocator, machine)
  std::uint64_t segments, threads;
  std::uint64_t max_live_threads;  // at any event, thread 0 included until it ends
  std::uint64_t events, objects;   // objects: events that yield
  std::uint64_t tick_ns;           // unit of all times
  std::uint64_t start_unix_ns;     // of tick 0
  std::uint64_t duration_ticks;    // of the last event
  std::uint64_t pid;
  std::uint64_t max_live_objects, max_live_bytes;  // at any event
  std::uint64_t end_live_objects, end_live_bytes;  // never given up
  // The largest of any segment, so that a reader can get its memory before it begins.
  std::uint64_t max_segment_events, max_segment_objects, max_segment_raw_bytes, max_segment_bytes;
  std::uint64_t repaired_inversions;  // an address was handed out before its free, in the order of the clocks
  std::uint64_t unknown_frees;        // of addresses that the recording did not see handed out; left out
  std::uint64_t refused_requests;
  std::uint64_t lost_events;  // known to have happened and not in the file
  std::uint64_t checksum;     // FNV-1a, 64 bits, of all bytes of the header before it
};
static_assert(sizeof(Header) % 8 == 0);

struct SegmentEntry {
  std::uint64_t offset, bytes, raw_bytes;  // of its zstd frame; raw: uncompressed
  std::uint64_t events;
  std::uint64_t end_tick;                          // of its last event
  std::uint64_t end_live_objects, end_live_bytes;  // after its last event
  std::uint64_t peak_live_bytes;                   // at its start, and after any of its events
};

// Limits that a reader may rely on, and refuses a file for.
inline constexpr std::uint64_t kMaxThreads = std::uint64_t{1} << 20;
inline constexpr std::uint64_t kMaxSegmentEvents = std::uint64_t{1} << 16;
// An event has an op, a time, a size with its alignment and pages, and a ref of two parts: at most
// 1 + 10 + 16 + 20 bytes. A thread of a segment has five varints in front.
inline constexpr std::uint64_t kMaxSegmentRawBytes = kMaxSegmentEvents * (47 + 50) + 16;
inline constexpr std::uint64_t kMaxRequest = std::uint64_t{1} << 62;
inline constexpr std::uint8_t kMaxAlignmentLog2 = 62;
inline constexpr std::uint64_t kMaxEvents = std::uint64_t{1} << 43;
inline constexpr std::uint64_t kMaxTextBytes = std::uint64_t{1} << 20;
// A zstd frame with a checksum: magic number, frame header, one block's header, checksum (RFC 8878, 3.1.1).
inline constexpr std::uint64_t kMinFrameBytes = 4 + 2 + 3 + 4;

// An object's name. Threads are numbered in the order in which they start, from 0; serials count what a
// thread's events yielded, from 0, over the whole trace.
struct Object {
  std::uint32_t thread;
  std::uint64_t serial;
  bool operator==(const Object&) const = default;
};

constexpr std::uint64_t fnv1a(const void* bytes, std::size_t count) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (std::size_t at = 0; at < count; ++at)
    hash = (hash ^ static_cast<const unsigned char*>(bytes)[at]) * 0x100000001b3;
  return hash;
}

constexpr std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}
constexpr std::int64_t unzigzag(std::uint64_t value) {
  return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

}  // namespace heapmark::trace
