// How much of its large blocks a recorded program wrote to. A recording tells it at looks in a block's life,
// a trace of the first look where the object is made: so a recording that tells it is closed twice, and what
// the first pass learns of each object is kept here for the second. Both passes give objects the same names.
// Memory: 16 bytes for each object told of. Above: closing.cc. Below: TraceWriter.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "harness/trace/trace_writer.h"

namespace heapmark::trace {

// No more than the object has.
inline std::uint32_t pages_within(const LiveObject& object, std::uint64_t pages) {
  return static_cast<std::uint32_t>(
      std::min({pages, pages_of(object.bytes), static_cast<std::uint64_t>(kNotTold - 1)}));
}

class WrittenPages {
 public:
  // `looked`: the object lives on. Of one object the first look counts; where there is none, the last time.
  void tell(const LiveObject& object, std::uint32_t pages, bool looked) {
    of(object.name.thread).told.push_back({object.name.serial, pages, looked});
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
    bool looked = false;
    for (; thread.next < thread.told.size() && thread.told[thread.next].serial == thread.made;
         ++thread.next) {
      if (!looked) pages = thread.told[thread.next].pages;
      looked |= thread.told[thread.next].looked;
    }
    ++thread.made;
    return pages;
  }

 private:
  struct Told {
    std::uint64_t serial;
    std::uint32_t pages;
    bool looked;
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
  LiveObject resize(std::uint32_t thread, std::uint64_t, const LiveObject& old, std::uint64_t bytes, bool) {
    live_bytes_ -= old.bytes;
    return made(thread, bytes);
  }
  void free(std::uint32_t, std::uint64_t, const LiveObject& object) { live_bytes_ -= object.bytes; }
  [[nodiscard]] std::uint64_t live_bytes() const { return live_bytes_; }
  void refused(std::uint32_t, std::uint64_t, std::uint64_t) {}
  void spawn(std::uint32_t, std::uint64_t, std::uint32_t) {}
  void end(std::uint32_t, std::uint64_t) {}
  // `lives_on`: the object, which is given up next otherwise.
  void written(std::uint32_t, std::uint64_t, LiveObject& object, std::uint64_t pages, bool lives_on) {
    if (object.written_pages != kNotTold) return;  // a look is enough
    const std::uint32_t now = pages_within(object, pages);
    pages_.tell(object, now, lives_on);
    if (lives_on) object.written_pages = now;
  }

 private:
  LiveObject made(std::uint32_t thread, std::uint64_t bytes) {
    if (thread >= made_.size()) made_.resize(std::size_t{thread} + 1);
    live_bytes_ += bytes;
    return {{thread, made_[thread]++}, bytes, kNotTold};
  }
  WrittenPages& pages_;
  std::vector<std::uint64_t> made_;
  std::uint64_t live_bytes_ = 0;
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
  [[nodiscard]] std::uint64_t live_bytes() const { return writer_.live_bytes(); }
  void refused(std::uint32_t thread, std::uint64_t time_ns, std::uint64_t bytes) {
    writer_.refused(thread, time_ns, bytes);
  }
  void spawn(std::uint32_t parent, std::uint64_t time_ns, std::uint32_t thread) {
    writer_.spawn(parent, time_ns, thread);
  }
  void end(std::uint32_t thread, std::uint64_t time_ns) { writer_.end(thread, time_ns); }
  void written(std::uint32_t thread, std::uint64_t time_ns, LiveObject& object, std::uint64_t pages, bool) {
    const std::uint32_t now = pages_within(object, pages);
    if (object.written_pages != kNotTold && now > object.written_pages)
      writer_.write(thread, time_ns, object, now);
  }

 private:
  TraceWriter& writer_;
  WrittenPages& pages_;
};

}  // namespace heapmark::trace
