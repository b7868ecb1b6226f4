// Reads a trace file of format.h from memory: checks the header, decompresses a segment, and steps through
// the events of each thread in it. Allocates nothing (the caller gives all memory), throws nothing, and
// trusts no byte: whatever is wrong is an Error, never a wild access. Used by the host (replay) and the
// harness alike.
#pragma once

#include <cstddef>
#include <cstdint>

#include "workloads/contract/trace/format.h"

namespace heapmark::trace {

// Null where all is well, else one sentence without a full stop; static storage.
using Error = const char*;

// A file in memory, with its header checked.
class TraceFile {
 public:
  // `bytes` must stay valid and unchanged. An Error says whether the file is no trace, of another version or
  // byte order, unfinished, truncated or damaged.
  [[nodiscard]] Error open(const void* bytes, std::size_t count);
  // The same for a file of `file_bytes` that is not in memory but for its first `count` bytes (all of it, or
  // at least sizeof(Header)): frames are then given to read_index and read_segment.
  [[nodiscard]] Error open_start(const void* bytes, std::size_t count, std::uint64_t file_bytes);

  [[nodiscard]] const Header& header() const { return header_; }
  [[nodiscard]] const unsigned char* bytes() const { return bytes_; }

  // Decompresses the index into `to`, of header().index_raw_bytes and aligned to 8, and checks every entry.
  // entries() and text() are parts of `to`.
  [[nodiscard]] Error read_index(void* to, void* workspace);
  // `frame`: header().index_bytes from header().index_offset on.
  [[nodiscard]] Error read_index(const void* frame, void* to, void* workspace);
  [[nodiscard]] const SegmentEntry& segment(std::uint64_t number) const { return entries_[number]; }
  [[nodiscard]] const char* text() const { return text_; }  // header().text_bytes bytes

  // Decompresses segment `number` into `to`, of header().max_segment_raw_bytes.
  [[nodiscard]] Error read_segment(std::uint64_t number, void* to, void* workspace) const;
  // `frame`: segment(number).bytes from its offset on.
  [[nodiscard]] Error read_segment(std::uint64_t number, const void* frame, void* to, void* workspace) const;

  // Bytes of the workspace that decompression needs, aligned to 8.
  [[nodiscard]] static std::size_t workspace_bytes();

 private:
  const unsigned char* bytes_ = nullptr;
  std::uint64_t count_ = 0;  // of the file
  Header header_{};
  const SegmentEntry* entries_ = nullptr;
  const char* text_ = nullptr;
};

struct Event {
  Op op;
  std::uint8_t log2_alignment;  // kAligned
  std::uint64_t tick;           // since the trace's start
  std::uint64_t size;           // has_size(op)
  Object gives;                 // yields(op): the object made
  Object takes;                 // refers(op): the object given up or written to. Not checked to be live
  std::uint32_t spawned;        // kSpawn
  bool moved;                   // kRealloc: not at the address of the old object
  // yields(op): how many of the object's pages were written to, at first. kWrite: how many by now; not
  // checked.
  std::uint32_t written_pages = kNotTold;
};

// The events of one thread in one segment, in its order.
class Part {
 public:
  [[nodiscard]] std::uint32_t thread() const { return thread_; }
  [[nodiscard]] std::uint64_t left() const { return left_; }
  // Only where left() is not 0. After an Error the part must not be read on.
  [[nodiscard]] Error next(Event& event);

 private:
  friend class SegmentParts;
  const unsigned char *ops_ = nullptr, *times_ = nullptr, *times_end_ = nullptr, *sizes_ = nullptr,
                      *sizes_end_ = nullptr, *refs_ = nullptr, *refs_end_ = nullptr;
  std::uint64_t left_ = 0, tick_ = 0, end_tick_ = 0;
  std::uint32_t thread_ = 0, threads_ = 0;
  bool tells_written_ = false;                  // version 2
  std::uint64_t made_ = 0;                      // serials handed out by this thread so far
  const std::uint64_t* made_before_ = nullptr;  // by each thread before this segment
};

// The parts of a decompressed segment.
class SegmentParts {
 public:
  // `made_before`: for each thread the objects it made before this segment; must stay unchanged while a Part
  // is read. `start_tick`: end_tick of the segment before, 0 for the first.
  SegmentParts(const TraceFile& file, std::uint64_t number, const void* raw,
               const std::uint64_t* made_before);

  [[nodiscard]] std::uint64_t left() const { return left_; }
  [[nodiscard]] Error next(Part& part);
  // All bytes and events of the segment belong to the parts read. To be asked once left() is 0.
  [[nodiscard]] Error finish() const;
  [[nodiscard]] Error error() const { return error_; }

 private:
  const unsigned char *at_, *end_;
  std::uint64_t left_ = 0, events_left_, start_tick_, end_tick_, last_thread_ = 0;
  std::uint32_t threads_;
  bool tells_written_, first_ = true;
  const std::uint64_t* made_before_;
  Error error_ = nullptr;
};

}  // namespace heapmark::trace
