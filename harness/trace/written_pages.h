// How much of its large blocks a recorded program wrote to. A recording tells it when a block is given up, a
// trace where the object is made: so a recording that tells it is closed twice, and what the first pass
// learns of each object is kept here for the second. Both passes give objects the same names. Memory: 16
// bytes for each time that the recording tells of a block. Above: closing.cc. Below: TraceWriter.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "harness/trace/trace_writer.h"

namespace heapmark::trace {

class WrittenPages {
 public:
  // Of one object the last time counts. Takes no more than the object has.
  void tell(const LiveObject& object, std::uint64_t pages) {
    const std::uint64_t most = std::min<std::uint64_t>(pages_of(object.bytes), kNotTold - 1);
    of(object.name.thread)
        .told.push_back({object.name.serial, static_cast<std::uint32_t>(std::min(pages, most))});
  }

  // All is told.
  void sort() {
    for (Thread& thread : threads_)
      std::stable_sort(thread.told.begin(), thread.told.end(),
                       [](const Told& a, const Told& b) { return a.serial < b.serial; });
  }

  // Of the object that the thread makes next, once for each: kNotTold where nothing was told.
  std::uint32_t of_next(std::uint32_t number) {
    Thread& thread = of(number);
    std::uint32_t pages = kNotTold;
    for (; thread.next < thread.told.size() && thread.told[thread.next].serial == thread.made; ++thread.next)
      pages = thread.told[thread.next].pages;
    ++thread.made;
    return pages;
  }

 private:
  struct Told {
    std::uint64_t serial;
    std::uint32_t pages;
  };
  struct Thread {
    std::vector<Told> told;
    std::size_t next = 0;
    std::uint64_t made = 0;
  };
  Thread& of(std::uint32_t number) {
    if (number >= threads_.size()) threads_.resize(std::size_t{number} + 1);
    return threads_[number];
  }
  std::vector<Thread> threads_;
};

// The two passes' writers, for closing: the first names objects as TraceWriter does and keeps what is told of
// them, the second writes.
class TellingPass {
 public:
  explicit TellingPass(WrittenPages& pages) : pages_(pages) {}
  LiveObject request(std::uint32_t thread, std::uint64_t, Op, std::uint64_t bytes, std::uint8_t = 0) {
    return made(thread, bytes);
  }
  LiveObject resize(std::uint32_t thread, std::uint64_t, const LiveObject&, std::uint64_t bytes, bool) {
    return made(thread, bytes);
  }
  void free(std::uint32_t, std::uint64_t, const LiveObject&) {}
  void refused(std::uint32_t, std::uint64_t, std::uint64_t) {}
  void spawn(std::uint32_t, std::uint64_t, std::uint32_t) {}
  void end(std::uint32_t, std::uint64_t) {}
  void written(const LiveObject& object, std::uint64_t pages) { pages_.tell(object, pages); }

 private:
  LiveObject made(std::uint32_t thread, std::uint64_t bytes) {
    if (thread >= made_.size()) made_.resize(std::size_t{thread} + 1);
    return {{thread, made_[thread]++}, bytes};
  }
  WrittenPages& pages_;
  std::vector<std::uint64_t> made_;
};

class WritingPass {
 public:
  WritingPass(TraceWriter& writer, WrittenPages& pages) : writer_(writer), pages_(pages) {}
  LiveObject request(std::uint32_t thread, std::uint64_t time_ns, Op op, std::uint64_t bytes,
                     std::uint8_t log2_alignment = 0) {
    return writer_.request(thread, time_ns, op, bytes, log2_alignment, pages_.of_next(thread));
  }
  LiveObject resize(std::uint32_t thread, std::uint64_t time_ns, const LiveObject& old, std::uint64_t bytes,
                    bool moved) {
    return writer_.resize(thread, time_ns, old, bytes, moved, pages_.of_next(thread));
  }
  void free(std::uint32_t thread, std::uint64_t time_ns, const LiveObject& object) {
    writer_.free(thread, time_ns, object);
  }
  void refused(std::uint32_t thread, std::uint64_t time_ns, std::uint64_t bytes) {
    writer_.refused(thread, time_ns, bytes);
  }
  void spawn(std::uint32_t parent, std::uint64_t time_ns, std::uint32_t thread) {
    writer_.spawn(parent, time_ns, thread);
  }
  void end(std::uint32_t thread, std::uint64_t time_ns) { writer_.end(thread, time_ns); }
  void written(const LiveObject&, std::uint64_t) {}

 private:
  TraceWriter& writer_;
  WrittenPages& pages_;
};

}  // namespace heapmark::trace
