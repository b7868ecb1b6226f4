// A synthetic trace for tests: random events of several threads, of which some start late and end early, with
// blocks given up by other threads, reallocs, alignments and refusals. The same options make the same file.
// The memory it takes is the live objects', whatever the length. Below: TraceWriter.
#pragma once

#include <filesystem>
#include <random>
#include <vector>

#include "harness/trace/trace_writer.h"

namespace heapmark::trace {

struct ExampleOptions {
  std::uint64_t events = 10'000;  // about; spawns and ends come on top
  std::uint32_t threads = 4;
  std::uint64_t live_objects = 500;  // about; what lives at the end is never freed
  std::uint64_t segment_events = 256;
  std::uint64_t tick_ns = 100;
  std::uint64_t gap_ns = 150;   // between two events, on average
  std::uint64_t idle_ns = 0;    // nothing happens for so long in the middle of the trace
  std::uint64_t max_bytes = 0;  // of a request; 0: log-uniform up to 1 MiB
  std::uint32_t seed = 1;
  bool every_other_thread_ends = true;
  bool tells_written = false;  // of half of what has more than a page
};

// Returns the header as written.
inline Header write_example(const std::filesystem::path& path, const ExampleOptions& options = {}) {
  WriterOptions to;
  to.tick_ns = options.tick_ns;
  to.start_unix_ns = 1'700'000'000'000'000'000;
  to.pid = 4711;
  to.segment_events = options.segment_events;
  to.text = {{"command", "example --threads 4"}, {"allocator", "none"}, {"machine", "none"}};
  TraceWriter writer(path, to);
  std::mt19937_64 random(options.seed);
  const auto below = [&](std::uint64_t limit) { return random() % limit; };
  std::vector<LiveObject> live;
  std::vector<std::uint32_t> running{0};
  std::uint32_t started = 1;
  std::uint64_t now_ns = 0;
  const auto size = [&]() -> std::uint64_t {
    return options.max_bytes != 0 ? below(options.max_bytes + 1) : below(std::uint64_t{16} << below(17));
  };
  const auto pages = [&](std::uint64_t bytes) -> std::uint32_t {
    if (!options.tells_written || bytes <= kPageBytes || below(2) == 0) return kNotTold;
    return static_cast<std::uint32_t>(below(pages_of(bytes) + 1));
  };
  for (std::uint64_t number = 0; number < options.events; ++number) {
    now_ns += below(2 * options.gap_ns + 1);
    if (number == options.events / 2) now_ns += options.idle_ns;
    // All threads have started when half of the events are over; then every other one ends.
    if (started < options.threads && number >= started * (options.events / 2) / options.threads) {
      writer.spawn(running[below(running.size())], now_ns, started);
      running.push_back(started++);
    }
    if (options.every_other_thread_ends && running.size() > options.threads / 2 + 1 &&
        number > options.events * 3 / 4) {
      writer.end(running.back(), now_ns);
      running.pop_back();
    }
    const std::uint32_t thread = running[below(running.size())];
    if (options.tells_written && !live.empty() && below(4) == 0) {
      LiveObject& object = live[below(live.size())];
      if (object.written_pages != kNotTold)
        writer.write(thread, now_ns, object, static_cast<std::uint32_t>(below(pages_of(object.bytes) + 1)));
    }
    const std::uint64_t dice = below(100);
    const auto taken = [&] {
      std::swap(live[below(live.size())], live.back());
      const LiveObject object = live.back();
      live.pop_back();
      return object;
    };
    if (dice == 0) {
      writer.refused(thread, now_ns, std::uint64_t{1} << 60);
    } else if (dice < 10 && !live.empty()) {
      const LiveObject old = taken();
      const std::uint64_t bytes = old.bytes + size();
      live.push_back(writer.resize(thread, now_ns, old, bytes, dice % 2 == 0, pages(bytes)));
    } else if (live.empty() || dice < (live.size() < options.live_objects ? 60U : 53U)) {
      const Op op = dice < 15 ? Op::kAligned : dice < 22 ? Op::kCalloc : Op::kMalloc;
      const auto log2_alignment = static_cast<std::uint8_t>(op == Op::kAligned ? 4 + below(9) : 0);
      const std::uint64_t bytes = size();
      live.push_back(writer.request(thread, now_ns, op, bytes, log2_alignment, pages(bytes)));
    } else {
      writer.free(thread, now_ns, taken());
      if (live.size() > options.live_objects) writer.free(thread, now_ns, taken());
    }
  }
  return writer.finish(End::kExit, {3, 5, 7});
}

}  // namespace heapmark::trace
