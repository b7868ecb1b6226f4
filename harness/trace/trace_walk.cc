#include "harness/trace/trace_walk.h"

#include <fmt/core.h>

#include <algorithm>

namespace heapmark::trace {

void TraceWalk::PeakBounds::tick_over(std::uint64_t now) {
  least = std::max(least, now);
  most = std::max(most, before_tick + made_in_tick);
  before_tick = now;
  made_in_tick = 0;
}

void TraceWalk::equal(std::uint64_t found, std::uint64_t said, const char* what) const {
  if (found != said)
    reading_.bad(fmt::format("damaged: its {} should be {} by the events, and is {}", what, found, said));
}

void TraceWalk::begin_segment() {
  in_segment_ = true;
  segment_made_ = 0;
  segment_bytes_.begin(live_bytes_);
}

void TraceWalk::end_segment() {
  if (!in_segment_) return;
  in_segment_ = false;
  const SegmentEntry& entry = reading_.segment(step_.segment);
  segment_bytes_.tick_over(live_bytes_);
  const auto wrong = [&](const char* what, std::uint64_t found, std::uint64_t said) {
    reading_.bad(fmt::format("segment {}: its {} should be {} by the events, and is {} in the index",
                             step_.segment, what, found, said));
  };
  if (live_bytes_ != entry.end_live_bytes) wrong("live bytes at the end", live_bytes_, entry.end_live_bytes);
  if (live_.size() != entry.end_live_objects)
    wrong("number of live objects at the end", live_.size(), entry.end_live_objects);
  if (tick_ != entry.end_tick) wrong("time of the last event", tick_, entry.end_tick);
  if (!segment_bytes_.allow(entry.peak_live_bytes))
    wrong("peak of live bytes", segment_bytes_.least, entry.peak_live_bytes);
  peak_bytes_ = std::max(peak_bytes_, entry.peak_live_bytes);
  max_segment_made_ = std::max(max_segment_made_, segment_made_);
  max_segment_events_ = std::max(max_segment_events_, entry.events);
  max_segment_raw_bytes_ = std::max(max_segment_raw_bytes_, entry.raw_bytes);
  max_segment_bytes_ = std::max(max_segment_bytes_, entry.bytes);
}

void TraceWalk::end_trace() {
  const Header& header = reading_.header();
  trace_objects_.tick_over(live_.size());
  trace_threads_.tick_over(threads_running());
  equal(objects_, header.objects, "number of objects");
  equal(1 + spawns_, header.threads, "number of threads");
  equal(refused_, header.refused_requests, "number of refused requests");
  equal(live_.size(), header.end_live_objects, "number of objects that live at the end");
  equal(live_bytes_, header.end_live_bytes, "bytes that live at the end");
  equal(peak_bytes_, header.max_live_bytes, "peak of live bytes");
  if (!trace_objects_.allow(header.max_live_objects))
    equal(trace_objects_.least, header.max_live_objects, "peak of live objects");
  if (!trace_threads_.allow(header.max_live_threads))
    equal(trace_threads_.least, header.max_live_threads, "number of threads at once");
  equal(max_segment_made_, header.max_segment_objects, "largest number of objects of a segment");
  equal(max_segment_events_, header.max_segment_events, "largest number of events of a segment");
  equal(max_segment_raw_bytes_, header.max_segment_raw_bytes, "largest raw size of a segment");
  equal(max_segment_bytes_, header.max_segment_bytes, "largest size of a segment");
}

// An object that was given up at the same tick may be gone: the order of that is not in the file.
void TraceWalk::see_write(const Event& event) {
  more_written_bytes_ = 0;
  Known* const known = live_.find(event.takes);
  if (known == nullptr) return;
  if (known->written_pages == kNotTold || event.written_pages > pages_of(known->bytes))
    reading_.bad(step_.segment, step_.thread, "it writes to more of an object than that has, or has told of");
  if (event.written_pages <= known->written_pages) return;
  more_written_bytes_ =
      written_bytes(known->bytes, event.written_pages) - written_bytes(known->bytes, known->written_pages);
  live_unwritten_bytes_ -= more_written_bytes_;
  known->written_pages = event.written_pages;
}

bool TraceWalk::next() {
  const std::uint64_t segment = step_.segment;
  Step next;
  if (!reading_.next(next)) {
    end_segment();
    end_trace();
    return false;
  }
  if (next.segment != segment) end_segment();
  step_ = next;
  if (!in_segment_) begin_segment();
  const Event& event = step_.event;
  if (event.tick != tick_) {
    segment_bytes_.tick_over(live_bytes_);
    trace_objects_.tick_over(live_.size());
    trace_threads_.tick_over(threads_running());
    tick_ = event.tick;
  }
  if (gives_up(event.op)) {
    if (!live_.take(event.takes, taken_))
      reading_.bad(step_.segment, step_.thread,
                   fmt::format("it gives up object {} of thread {}, which is not live", event.takes.serial,
                               event.takes.thread));
    live_bytes_ -= taken_.bytes;
    live_unwritten_bytes_ -= taken_.bytes - written_bytes(taken_.bytes, taken_.written_pages);
  }
  if (yields(event.op)) {
    if (event.size > ~std::uint64_t{0} - live_bytes_)
      reading_.bad(step_.segment, step_.thread, "the live bytes pass what 64 bits hold");
    live_.add(event.gives, {event.size, event.tick, event.written_pages, event.op, event.log2_alignment});
    live_bytes_ += event.size;
    live_unwritten_bytes_ += event.size - written_bytes(event.size, event.written_pages);
    // Bounds that are too wide for a sum of 64 bits are of no use, and do no harm.
    segment_bytes_.made_in_tick +=
        std::min(event.size, (~std::uint64_t{0} - segment_bytes_.before_tick) - segment_bytes_.made_in_tick);
    ++trace_objects_.made_in_tick;
    ++segment_made_;
    ++objects_;
  }
  if (event.op == Op::kWrite) see_write(event);
  if (event.op == Op::kRefused) ++refused_;
  if (event.op == Op::kSpawn) {
    ++spawns_;
    ++trace_threads_.made_in_tick;
  }
  if (event.op == Op::kEnd) ++ends_;
  return true;
}

void check(TraceReading& reading) {
  TraceWalk walk(reading);
  while (walk.next()) {
  }
}

}  // namespace heapmark::trace
