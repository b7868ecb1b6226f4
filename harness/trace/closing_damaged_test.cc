// Damaged recordings, closed: each leaves a trace that can be read, or is refused with the reason.
#include <catch2/catch.hpp>
#include <limits>
#include <random>

#include "harness/trace/closing.h"
#include "harness/trace/tests/made_recording.h"

namespace heapmark::trace {
namespace {

TEST_CASE("sizes that no address space has are lost events; times and alignments are cut") {
  Made made;
  Writer main;
  constexpr std::uint64_t kLargest = std::uint64_t{1} << 48;
  main.add(kRawMalloc, 1, 0x1000, kLargest);
  main.add(kRawMalloc, 2, 0x2000, kLargest + 1);
  main.add(kRawReallocBegin, 3, 0x1000);
  main.add(kRawReallocEnd, 4, 0x3000, kMaxRequest);
  main.add(kRawAligned, 5, 0x4000, 20, 63);
  main.add(kRawFailed, 6, 0, kMaxRequest);
  main.add(kRawMalloc, ~std::uint64_t{0} - 1, 0x5000, 10);
  made.chunk(0, 0, main.bytes);
  const TraceEvents trace = made.closed();
  CHECK(trace.header.lost_events == 2);
  CHECK(trace.frees(kLargest) == 1);
  CHECK(trace.header.end_live_bytes == 30);
  CHECK(trace.header.refused_requests == 1);
}

TEST_CASE("the live bytes of a damaged recording stay within what a trace can tell") {
  Made made;
  constexpr std::uint64_t kEach = std::uint64_t{1} << 48, kBlocks = (kMaxRequest >> 48) + 3;
  constexpr std::uint64_t kOfChunk = 4000;
  for (std::uint64_t block = 0; block < kBlocks;) {
    Writer main;
    main.time = block;
    const std::uint64_t sequence = block / kOfChunk;
    for (const std::uint64_t end = std::min(block + kOfChunk, kBlocks); block < end; ++block)
      main.add(kRawMalloc, block + 1, (block + 1) << 12, kEach);
    made.chunk(0, sequence, main.bytes, sequence * kOfChunk);
  }
  const TraceEvents trace = made.closed();
  CHECK(trace.header.lost_events == 3);
  CHECK(trace.header.end_live_bytes == kMaxRequest);
}

TEST_CASE("a counter's rate that cannot be is not taken from a damaged recording") {
  Made made;
  Writer main;
  main.add(kRawMalloc, 250, 0x1000, 10);
  made.chunk(0, 0, main.bytes);
  RawControl& control = made.raw().control();
  control.counter = RawCounter::kTsc;
  control.ns_per_tick = 0.5;
  control.end_ns = control.start_ns + (std::uint64_t{1} << 40);
  control.end_ticks = control.start_ticks + 1;
  CHECK(ns_per_tick(made.raw()) == 0.5);
  for (const double damaged : {0.0, -1.0, 1e300, std::numeric_limits<double>::quiet_NaN()}) {
    control.ns_per_tick = damaged;
    CHECK_THROWS_WITH(RawRecording::open(made.path()), Catch::Contains("is damaged"));
  }
  control.ns_per_tick = 0.5;
  CHECK_NOTHROW(RawRecording::open(made.path()));
}

TEST_CASE("damage of any byte of a recording leaves a trace that can be read") {
  Made made(true);
  Writer main, other;
  std::mt19937 random(3);
  std::vector<std::uint64_t> live;
  for (std::uint64_t at = 1; at < 3000; ++at) {
    Writer& one = random() % 2 == 0 ? main : other;
    const std::uint64_t time = std::max({at * 10, main.time, other.time});
    if (live.size() > 20) {
      if (random() % 4 == 0) one.add(kRawWritten, time, live.back(), random() % 3);
      one.add(kRawFree, time, live.back());
      live.pop_back();
    } else {
      live.push_back((random() % 100000) << 4);
      one.add(kRawMalloc, time, live.back(), random() % 1000);
    }
  }
  const std::uint64_t offset = made.chunk(0, 0, main.bytes);
  made.chunk(1, 0, other.bytes);
  CHECK(made.closed().header.events >= 2999);
  for (int time = 0; time < 400; ++time) {
    // Half of them in the header.
    const std::uint64_t place = offset + random() % (time % 2 == 0 ? kRawEventsOffset : main.bytes.size());
    char before = 0;
    REQUIRE(read_at(made.raw().fd(), &before, 1, place) == 1);
    made.overwrite(place, std::string(1, static_cast<char>(random())));
    made.close_all();
    made.overwrite(place, std::string(1, before));
  }
  CHECK(made.closed().header.events >= 2999);
}

}  // namespace
}  // namespace heapmark::trace
