// What a trace tells of the program, found in one walk: counts, histograms over powers of two, what lives
// over time, the least memory that any allocator could have. Pure arithmetic over the events: nothing is run.
// How it is shown is for view/. Below: TraceWalk, so a trace with facts has been verified as well.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "harness/trace/trace_reading.h"

namespace heapmark::trace {

// Class 0 holds 0; class k holds 2^(k-1) to 2^k - 1.
struct Log2Counts {
  struct Class {
    std::uint64_t count = 0, bytes = 0;
  };
  std::array<Class, 65> classes{};
  void add(std::uint64_t value, std::uint64_t bytes);
  void remove(std::uint64_t value, std::uint64_t bytes);
  [[nodiscard]] std::uint64_t count() const;
  // The least value of the class in which the share of the counted lies; 0 where nothing was counted.
  [[nodiscard]] std::uint64_t quantile_class_start(double share) const;
  [[nodiscard]] static std::uint64_t class_start(std::size_t number);
};

struct SizeCount {
  std::uint64_t size = 0, count = 0;
  [[nodiscard]] std::uint64_t bytes() const { return size * count; }
};

struct ThreadFacts {
  std::uint32_t number = 0;
  std::uint64_t start_ns = 0, end_ns = 0;  // end: of the trace where the thread did not end
  bool ended = false;
  std::uint64_t events = 0, requests = 0, requested_bytes = 0, frees = 0, frees_of_others = 0;
};

// A part of the duration; every part is as long as the others.
struct Moment {
  std::uint64_t start_ns = 0, events = 0, requested_bytes = 0;
  std::uint64_t max_live_bytes = 0, end_live_bytes = 0, max_live_objects = 0, end_live_objects = 0;
  std::uint64_t max_threads = 0;
};

struct TraceFacts {
  std::string name;
  Header header{};
  std::vector<std::pair<std::string, std::string>> text;
  bool has_times = true;  // false: one tick an event, as in traces of tools that keep no time
  std::uint64_t file_bytes = 0, duration_ns = 0;

  std::array<std::uint64_t, 10> events_by_op{};  // by Op
  std::uint64_t requests = 0, requested_bytes = 0, zero_requests = 0, refused_bytes = 0;

  std::vector<ThreadFacts> threads;
  std::uint64_t max_threads_at_once = 0;
  Log2Counts thread_lifetimes_ns;  // of those that ended

  std::uint64_t given_up = 0, given_up_by_others = 0;  // by free and realloc
  std::uint64_t given_up_bytes_by_others = 0;

  Log2Counts sizes;         // of requests
  Log2Counts lifetimes_ns;  // of what was given up; bytes: its size
  Log2Counts sizes_at_peak, sizes_never_freed;
  Log2Counts alignments;  // of aligned requests; value: the alignment
  std::vector<SizeCount> top_by_count, top_by_bytes;
  bool top_is_approximate = false;  // so many different sizes that rare ones were forgotten

  std::vector<Moment> moments;                                  // at most kMoments
  std::uint64_t peak_bytes = 0, peak_objects = 0, peak_ns = 0;  // objects: at the peak of bytes
  // What the trace tells of what was written to: of so many requests, which asked for so much.
  struct {
    std::uint64_t requests = 0, bytes = 0, written_bytes = 0;
  } told;
  // The most of what lived at a time that the program writes to: all that it asks for, less what the trace
  // tells that it does not.
  std::uint64_t peak_written_bytes = 0;
  // The same, rounded up to pages: no allocator can hold less.
  std::uint64_t least_rss_bytes = 0;

  struct {
    std::uint64_t count = 0, moved = 0, grew = 0, shrank = 0;
    std::uint64_t copied_bytes = 0;  // by those that moved: the smaller of old and new
    double growth = 0;               // geometric mean of new over old of those that grew from more than 0
  } reallocs;

  // No event of any thread for at least kIdleNs.
  struct {
    std::uint64_t count = 0, total_ns = 0, longest_ns = 0, longest_start_ns = 0;
  } idle;
};

inline constexpr std::size_t kMoments = 1000;
inline constexpr std::size_t kTopSizes = 10;
inline constexpr std::uint64_t kIdleNs = 10'000'000;

// `progress` is told the share that is done, now and then. Throws BadTrace.
[[nodiscard]] TraceFacts facts_of(TraceReading& reading, const std::function<void(double)>& progress = {});

// "malloc", "free", ...
[[nodiscard]] const char* op_name(Op op);
// Why the recording ended, as it follows "ended: ".
[[nodiscard]] const char* end_words(End end);

}  // namespace heapmark::trace
