// Traces for tests and for scripts/recorder-length, from a seed: threads that ask for, resize and free blocks
// of all sizes, their own and each other's, and that come and go.
#pragma once

#include <cstdint>
#include <filesystem>
#include <random>
#include <vector>

#include "harness/trace/trace_writer.h"

namespace heapmark::testing {

struct SyntheticTrace {
  std::uint64_t events = 20'000, seed = 1, segment_events = 1024;
  std::uint32_t threads_at_once = 1;  // the first among them
  std::uint64_t thread_lives = 0;     // events after which another thread takes one's place; 0: never
  double remote_share = 0.3;          // of the frees: objects of other threads
  std::size_t most_live = 2000;       // objects
  std::uint64_t largest_bytes = 20'000;
  std::uint64_t gap_ns = 100;  // between two events
  bool tells_written = false;  // of what has more than a page, at first and later
};

inline trace::Header write_synthetic_trace(const std::filesystem::path& path, const SyntheticTrace& wanted) {
  trace::WriterOptions options;
  options.segment_events = wanted.segment_events;
  options.text = {{"command", "synthetic"}};
  trace::TraceWriter writer(path, options);
  std::mt19937_64 random(wanted.seed);
  std::vector<std::uint32_t> threads = {0};
  std::uint32_t next_thread = 1;
  std::uint64_t now = 0;
  const auto spawn = [&](std::uint32_t parent) {
    writer.spawn(parent, now, next_thread);
    return next_thread++;
  };
  while (threads.size() < wanted.threads_at_once) threads.push_back(spawn(0));
  std::vector<std::vector<trace::LiveObject>> live(threads.size());
  std::size_t live_count = 0;
  // Most are small: each octave is as likely as any other.
  std::uint64_t octaves = 1;
  while (wanted.largest_bytes >> octaves != 0) ++octaves;
  const auto size = [&] {
    const std::uint64_t top = std::uint64_t{1} << random() % octaves;
    return random() % top % (wanted.largest_bytes + 1);
  };
  const auto pages = [&](std::uint64_t bytes) {
    if (!wanted.tells_written || bytes <= trace::kPageBytes) return trace::kNotTold;
    return static_cast<std::uint32_t>(random() % (trace::pages_of(bytes) + 1));
  };
  while (writer.events() < wanted.events) {
    now += random() % (2 * wanted.gap_ns + 1);
    const std::size_t place = random() % threads.size();
    const std::uint32_t thread = threads[place];
    if (wanted.thread_lives != 0 && place != 0 && random() % wanted.thread_lives == 0) {
      writer.end(thread, now);
      threads[place] = spawn(0);
      continue;
    }
    const bool remote = static_cast<double>(random() % 1000) < wanted.remote_share * 1000;
    std::vector<trace::LiveObject>& from = live[remote ? random() % live.size() : place];
    const std::uint64_t kind = random() % 100;
    if (kind < 45 && live_count < wanted.most_live) {
      const trace::Op op = kind < 36   ? trace::Op::kMalloc
                           : kind < 41 ? trace::Op::kCalloc
                                       : trace::Op::kAligned;
      const std::uint64_t bytes = size();
      live[place].push_back(writer.request(
          thread, now, op, bytes, static_cast<std::uint8_t>(op == trace::Op::kAligned ? random() % 13 : 0),
          pages(bytes)));
      ++live_count;
    } else if (!from.empty()) {
      std::swap(from[random() % from.size()], from.back());
      if (wanted.tells_written && from.back().written_pages != trace::kNotTold && random() % 2 == 0)
        writer.write(thread, now, from.back(), pages(from.back().bytes));
      const trace::LiveObject object = from.back();
      if (wanted.tells_written && kind >= 80) continue;
      from.pop_back();
      if (kind >= 45 && kind < 53) {
        const std::uint64_t bytes = size();
        live[place].push_back(writer.resize(thread, now, object, bytes, true, pages(bytes)));
      } else {
        writer.free(thread, now, object);
        --live_count;
      }
    }
  }
  return writer.finish(trace::End::kExit, {});
}

}  // namespace heapmark::testing
