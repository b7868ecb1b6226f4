// Writes a closed trace (workloads/contract/trace/format.h) in one pass: events come in the order in which
// they are to be replayed, of all threads, and leave in segments. Memory is bounded by the threads and a
// segment. What is written keeps the format's promises (an object is given up once, a thread is spawned
// before its first event and silent after its end) and throws std::logic_error where a caller breaks them.
// Who decides that order is above: closing, import, cut.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "workloads/contract/trace/format.h"

namespace heapmark::trace {

// An object that is live, as the caller keeps it.
struct LiveObject {
  Object name;
  std::uint64_t bytes = 0;
  std::uint32_t written_pages = kNotTold;  // as told so far
};

struct WriterOptions {
  std::uint64_t tick_ns = 100;
  std::uint64_t start_unix_ns = 0;
  std::uint64_t pid = 0;
  std::uint64_t segment_events = kMaxSegmentEvents;       // at most; segment_events_for(events)
  std::vector<std::pair<std::string, std::string>> text;  // key, value: "command", "allocator", "machine"
};

struct WriterCounts {
  std::uint64_t repaired_inversions = 0, unknown_frees = 0, lost_events = 0;
};

// About 512 segments in a trace of `events`, so that short ones can be cut into slices too.
[[nodiscard]] std::uint64_t segment_events_for(std::uint64_t events);

class TraceWriter {
 public:
  // Creates or empties the file. Throws std::system_error where the place cannot be written.
  TraceWriter(std::filesystem::path path, WriterOptions options);

  // Times are nanoseconds since the trace's start and never go back (earlier ones are taken for the latest so
  // far). Threads are new numbers in ascending order: 0, 1, ... A thread that was not spawned by another is
  // spawned by the first one that is at work, at its first event.
  // `written_pages`: of the object, at most pages_of(bytes), or kNotTold. write() tells of more.
  LiveObject request(std::uint32_t thread, std::uint64_t time_ns, Op op, std::uint64_t bytes,
                     std::uint8_t log2_alignment = 0, std::uint32_t written_pages = kNotTold);
  // `moved`: the new block is not at the address of the old one.
  LiveObject resize(std::uint32_t thread, std::uint64_t time_ns, const LiveObject& old, std::uint64_t bytes,
                    bool moved = true, std::uint32_t written_pages = kNotTold);
  void free(std::uint32_t thread, std::uint64_t time_ns, const LiveObject& object);
  // More of it is written to by now. Of an object of which pages were told when it was made.
  void write(std::uint32_t thread, std::uint64_t time_ns, LiveObject& object, std::uint32_t pages);
  void refused(std::uint32_t thread, std::uint64_t time_ns, std::uint64_t bytes);
  void spawn(std::uint32_t parent, std::uint64_t time_ns, std::uint32_t thread);
  void end(std::uint32_t thread, std::uint64_t time_ns);

  [[nodiscard]] std::uint64_t events() const { return header_.events; }
  [[nodiscard]] std::uint64_t live_bytes() const { return header_.end_live_bytes; }

  // Writes the rest, the index and the header. Throws std::system_error where the disk refuses; the file is
  // then one that was never finished. Returns the header as written.
  Header finish(End end, const WriterCounts& counts);

 private:
  struct Thread {
    bool spawned = false, ended = false;
    std::uint64_t made = 0, made_before_segment = 0, events = 0, tick = 0;
    std::string ops, times, sizes, refs;  // of this segment
  };
  Thread& at(std::uint32_t thread, std::uint64_t time_ns, Op op);
  void begin_event(std::uint32_t number, std::uint64_t time_ns, Op op);
  void refer(std::uint32_t from, const Object& object);
  void add_size(Thread& thread, std::uint64_t bytes, std::uint32_t written_pages);
  LiveObject made(std::uint32_t thread, std::uint64_t bytes, std::uint32_t written_pages);
  void gone(const LiveObject& object);
  void flush_segment();
  void write(const std::string& bytes);

  std::filesystem::path path_;
  WriterOptions options_;
  std::ofstream file_;
  Header header_{};
  std::vector<Thread> threads_;
  std::vector<std::uint32_t> busy_;  // threads with events in this segment
  std::vector<SegmentEntry> index_;
  std::uint64_t segment_count_ = 0, segment_made_ = 0, segment_peak_ = 0, segment_start_ = 0;
  std::uint64_t now_ = 0, offset_ = 0, live_threads_ = 0;
};

}  // namespace heapmark::trace
