// A trace checked while it is read: every object that is given up is live, and is given up once; what lives
// at the end of each segment, and every sum of the header and the index, is what the events add up to. So
// whoever walks to the end has verified the file. Memory: the live objects. Below: TraceReading.
#pragma once

#include <cstdint>

#include "harness/trace/live_objects.h"
#include "harness/trace/trace_reading.h"

namespace heapmark::trace {

class TraceWalk {
 public:
  // `reading` must stay, and be at its start.
  explicit TraceWalk(TraceReading& reading) : reading_(reading) {}

  // False at the end, once all sums have been found right. Throws BadTrace.
  [[nodiscard]] bool next();

  [[nodiscard]] const Step& step() const { return step_; }
  [[nodiscard]] const Event& event() const { return step_.event; }
  // What the event gave up; only where gives_up(event().op).
  [[nodiscard]] const Known& taken() const { return taken_; }

  // How many bytes more than told before are written to; only where event().op is kWrite.
  [[nodiscard]] std::uint64_t more_written_bytes() const { return more_written_bytes_; }

  // After the event.
  [[nodiscard]] const LiveObjects& live() const { return live_; }
  [[nodiscard]] std::uint64_t live_bytes() const { return live_bytes_; }
  // Of these, by what the trace tells, the program writes to so many before it gives them up.
  [[nodiscard]] std::uint64_t live_written_bytes() const { return live_bytes_ - live_unwritten_bytes_; }
  [[nodiscard]] std::uint64_t threads_running() const { return 1 + spawns_ - ends_; }

 private:
  // The order of events at one tick is not in the file, so neither is the exact peak within a tick: it is at
  // least what lived when a tick was over, and at most what lived before it and was made in it.
  struct PeakBounds {
    std::uint64_t least = 0, most = 0, made_in_tick = 0, before_tick = 0;
    void begin(std::uint64_t now) { least = most = before_tick = now, made_in_tick = 0; }
    void tick_over(std::uint64_t now);
    [[nodiscard]] bool allow(std::uint64_t peak) const { return least <= peak && peak <= most; }
  };
  void see_write(const Event& event);
  void begin_segment();
  void end_segment();
  void end_trace();
  void equal(std::uint64_t found, std::uint64_t said, const char* what) const;

  TraceReading& reading_;
  Step step_;
  Known taken_;
  LiveObjects live_;
  std::uint64_t live_bytes_ = 0, live_unwritten_bytes_ = 0, more_written_bytes_ = 0, tick_ = 0,
                segment_made_ = 0;
  std::uint64_t objects_ = 0, refused_ = 0, spawns_ = 0, ends_ = 0, max_segment_made_ = 0,
                max_segment_events_ = 0, max_segment_raw_bytes_ = 0, max_segment_bytes_ = 0, peak_bytes_ = 0;
  PeakBounds segment_bytes_, trace_objects_, trace_threads_{1, 1, 0, 1};
  bool in_segment_ = false;
};

// Walks to the end. Throws BadTrace.
void check(TraceReading& reading);

}  // namespace heapmark::trace
