// Raw recordings made by hand, closed: what the clocks of two CPUs disagree about, and what is damaged.
#include "harness/trace/closing.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <limits>
#include <map>
#include <random>

#include "harness/trace/address_map.h"
#include "harness/trace/example_recording.h"
#include "testing/folder.h"
#include "testing/trace_events.h"

namespace heapmark::trace {
namespace {

using testing::Folder;
using testing::read_trace;
using testing::TraceEvents;

using Writer = RawEvents;

// A recording of one process; times are in units of 4 ns of the clock, from 0.
class Made {
 public:
  explicit Made(bool tells_written = false)
      : raw_(RawRecording::create(folder_.path() / "t.raw",
                                  {.budget_bytes = 1 << 30, .text = {{"command", "made"}}})) {
    raw_.control().counter = RawCounter::kClockNs;
    raw_.control().time_shift = kRawClockShift;
    RawImage image{};
    image.pid = 12;
    image.tells_written = tells_written ? 1 : 0;
    std::strcpy(image.command, "made");
    put(region_of(image));
  }

  // Returns where it stands in the file.
  std::uint64_t chunk(std::uint32_t thread, std::uint64_t sequence, const std::string& events,
                      std::uint64_t start_time = 0) {
    RawChunk header{};
    header.thread = thread;
    header.sequence = sequence;
    header.start_time = start_time;
    return put(region_of(header, events));
  }

  void overwrite(std::uint64_t offset, const std::string& bytes) const {
    REQUIRE(::pwrite(raw_.fd(), bytes.data(), bytes.size(), static_cast<off_t>(offset)) ==
            static_cast<ssize_t>(bytes.size()));
  }

  void hole(std::size_t bytes) { raw_.control().next_offset += bytes; }

  TraceEvents closed() {
    const std::vector<RawProcess> processes = processes_of(raw_);
    REQUIRE(processes.size() == 1);
    last_ = close_process(raw_, processes[0], 1, End::kExit, folder_.path() / "t.hmtrace", nullptr);
    TraceEvents read = read_trace(folder_.path() / "t.hmtrace");
    REQUIRE(read.error.empty());
    return read;
  }
  // Every process, whatever it is taken for.
  void close_all() const {
    for (const RawProcess& process : processes_of(raw_)) {
      close_process(raw_, process, 1, End::kExit, folder_.path() / "t.hmtrace", nullptr);
      CHECK(read_trace(folder_.path() / "t.hmtrace").error.empty());
    }
  }
  [[nodiscard]] const Closed& last() const { return last_; }
  [[nodiscard]] const RawRecording& raw() const { return raw_; }
  [[nodiscard]] std::filesystem::path path() const { return folder_.path() / "t.raw"; }

 private:
  std::uint64_t put(const std::string& bytes) {
    const std::uint64_t offset = raw_.control().next_offset.fetch_add(bytes.size());
    overwrite(offset, bytes);
    return offset;
  }
  Folder folder_;
  RawRecording raw_;
  Closed last_;
};

// What two threads of one process leave, closed.
TraceEvents closed_of(const Writer& main, const Writer& other, bool tells_written = false) {
  Made made(tells_written);
  made.chunk(0, 0, main.bytes);
  made.chunk(1, 0, other.bytes);
  return made.closed();
}

TEST_CASE("requests, frees and reallocs become objects without addresses") {
  Made made;
  Writer main;
  main.add(kRawMalloc, 1, 0x1000, 100);
  main.add(kRawCalloc, 2, 0x7fff12345670, 200);
  main.add(kRawReallocBegin, 3, 0x1000);
  main.add(kRawReallocEnd, 4, 0x2000, 300);
  main.add(kRawAligned, 300, 0x1000, 64, 6);
  main.add(kRawFree, 100000, 0x2000);
  main.add(kRawFree, 100000000, 0x7fff12345670);
  main.add(kRawFailed, 100000001, 0, std::uint64_t{1} << 63);
  made.chunk(0, 0, main.bytes);
  const TraceEvents trace = made.closed();
  const std::vector<Event>& events = trace.of_thread.at(0);
  REQUIRE(events.size() == 7);
  CHECK(events[2].op == Op::kRealloc);
  CHECK(events[2].takes == Object{0, 0});
  CHECK(events[2].gives == Object{0, 2});
  CHECK(events[2].moved);
  CHECK(events[3].log2_alignment == 6);
  CHECK(events[4].takes == Object{0, 2});
  CHECK(events[5].takes == Object{0, 1});
  CHECK(events[5].tick * trace.header.tick_ns == 400000000);
  CHECK(events[6].size == kMaxRequest);
  CHECK(trace.header.end_live_bytes == 64);
  CHECK(trace.text == "command\tmade\n");
  CHECK(made.last().raw_events == 8);
}

TEST_CASE("a realloc says whether the block moved") {
  Made made;
  Writer main;
  main.add(kRawMalloc, 1, 0x1000, 10);
  main.add(kRawReallocBegin, 2, 0x1000);
  main.add(kRawReallocEnd, 3, 0x1000, 12);
  main.add(kRawReallocBegin, 4, 0x1000);
  main.add(kRawReallocEnd, 5, 0x3000, 1000);
  made.chunk(0, 0, main.bytes);
  const std::vector<Event> events = made.closed().of_thread.at(0);
  REQUIRE(events.size() == 3);
  CHECK_FALSE(events[1].moved);
  CHECK(events[2].moved);
}

TEST_CASE("what was written to of a block is told where the block is made") {
  Made made(true);
  Writer main;
  main.add(kRawMalloc, 1, 0x100000, 1'000'000);
  main.add(kRawMalloc, 2, 0x300000, 400'000);
  main.add(kRawWritten, 3, 0x100000, 7);
  main.add(kRawReallocBegin, 4, 0x100000);
  main.add(kRawReallocEnd, 5, 0x500000, 2'000'000);
  main.add(kRawWritten, 6, 0x500000, 11);
  main.add(kRawReallocBegin, 7, 0x500000);
  main.add(kRawReallocFailed, 8, 0, std::uint64_t{1} << 60);
  main.add(kRawWritten, 9, 0x500000, 12);  // the latest counts
  main.add(kRawFree, 10, 0x500000);
  main.add(kRawMalloc, 11, 0x500000, 5000);
  main.add(kRawWritten, 12, 0x500000, 900);  // no more than it has
  main.add(kRawWritten, 13, 0x900000, 5);    // of no block
  main.add(kRawHidden, 14, 0xa00000);
  main.add(kRawWritten, 15, 0xa00000, 5);
  made.chunk(0, 0, main.bytes);
  const TraceEvents trace = made.closed();
  const std::vector<Event>& events = trace.of_thread.at(0);
  REQUIRE(events.size() == 6);
  CHECK(events[0].written_pages == 7);
  CHECK(events[1].written_pages == kNotTold);
  CHECK(events[2].op == Op::kRealloc);
  CHECK(events[2].written_pages == 12);
  CHECK(events[5].written_pages == 2);
  CHECK(trace.header.version == 2);
  CHECK(trace.header.unknown_frees == 0);
  CHECK(made.last().raw_events == 15);
}

TEST_CASE("looks at a block that lives tell of more once it is there") {
  Made made(true);
  Writer main;
  main.add(kRawMalloc, 1, 0x100000, 1'000'000);
  main.add(kRawLooked, 1000, 0x100000, 7);
  main.add(kRawLooked, 2000, 0x100000, 7);
  main.add(kRawLooked, 3000, 0x100000, 20);
  main.add(kRawLooked, 4000, 0x100000, 19);
  main.add(kRawLooked, 5000, 0x100000, 21'000);  // more than it has
  main.add(kRawReallocBegin, 6000, 0x100000);
  main.add(kRawReallocFailed, 6001, 0, std::uint64_t{1} << 60);
  main.add(kRawWritten, 7000, 0x100000, 245);
  main.add(kRawFree, 7001, 0x100000);
  // A failed realloc between, and the last look when it goes.
  main.add(kRawMalloc, 8000, 0x100000, 500'000);
  main.add(kRawWritten, 8001, 0x100000, 3);
  main.add(kRawReallocBegin, 8002, 0x100000);
  main.add(kRawReallocFailed, 8003, 0, std::uint64_t{1} << 60);
  main.add(kRawLooked, 9000, 0x100000, 5);
  main.add(kRawWritten, 9001, 0x100000, 6);
  main.add(kRawFree, 9002, 0x100000);
  made.chunk(0, 0, main.bytes);
  const TraceEvents trace = made.closed();
  std::vector<std::pair<Op, std::uint32_t>> told;
  for (const Event& event : trace.of_thread.at(0))
    if (event.written_pages != kNotTold) told.emplace_back(event.op, event.written_pages);
  CHECK(told ==
        std::vector<std::pair<Op, std::uint32_t>>{
            {Op::kMalloc, 7}, {Op::kWrite, 20}, {Op::kWrite, 245}, {Op::kMalloc, 5}, {Op::kWrite, 6}});
  CHECK(trace.header.lost_events == 0);
}

TEST_CASE("what was written to goes to the object that the thread means, where clocks disagree") {
  Writer main, other;
  main.add(kRawMalloc, 100, 0x1000000, 1'000'000);
  main.add(kRawSpawn, 101, 0, 1);
  // The other thread frees it, and the first gets the address again; its clock is 20 units behind.
  other.add(kRawWritten, 219, 0x1000000, 3);
  other.add(kRawFree, 220, 0x1000000);
  main.add(kRawMalloc, 200, 0x1000000, 2'000'000);
  main.add(kRawWritten, 299, 0x1000000, 4);
  main.add(kRawFree, 300, 0x1000000);
  // Its request is stamped after what gives it up.
  main.add(kRawMalloc, 40'020, 0x2000000, 3'000'000);
  other.add(kRawWritten, 40'000, 0x2000000, 5);
  other.add(kRawFree, 40'001, 0x2000000);
  const TraceEvents trace = closed_of(main, other, true);
  CHECK(trace.header.repaired_inversions == 2);
  CHECK(trace.header.unknown_frees == 0);
  std::map<std::uint64_t, std::uint32_t> pages;
  for (const Event& event : trace.of_thread.at(0))
    if (yields(event.op)) pages[event.size] = event.written_pages;
  CHECK(pages == std::map<std::uint64_t, std::uint32_t>{{1'000'000, 3}, {2'000'000, 4}, {3'000'000, 5}});
}

TEST_CASE("a free whose stamp comes late is that of the older object, and counted") {
  Writer main, other;
  main.add(kRawMalloc, 100, 0x1000, 10);
  main.add(kRawSpawn, 101, 0, 1);
  // The other thread frees it, and the first gets the address again; its clock is 20 units behind.
  other.add(kRawFree, 220, 0x1000);
  main.add(kRawMalloc, 200, 0x1000, 20);
  main.add(kRawFree, 300, 0x1000);
  const TraceEvents trace = closed_of(main, other);
  CHECK(trace.header.repaired_inversions == 1);
  CHECK(trace.header.unknown_frees == 0);
  CHECK(trace.header.lost_events == 0);
  REQUIRE(trace.of_thread.at(1).size() == 1);
  CHECK(trace.of_thread.at(1)[0].takes == Object{0, 0});
  CHECK(trace.of_thread.at(0).back().takes == Object{0, 1});
  CHECK(trace.header.end_live_objects == 0);
}

TEST_CASE("a realloc whose stamp comes late takes the older object too") {
  Writer main, other;
  main.add(kRawMalloc, 100, 0x1000, 10);
  other.add(kRawReallocBegin, 220, 0x1000);
  other.add(kRawReallocEnd, 230, 0x5000, 77);
  main.add(kRawMalloc, 200, 0x1000, 20);
  const TraceEvents trace = closed_of(main, other);
  CHECK(trace.header.repaired_inversions == 1);
  CHECK(trace.of_thread.at(1)[0].op == Op::kRealloc);
  CHECK(trace.of_thread.at(1)[0].takes == Object{0, 0});
  CHECK(trace.header.end_live_bytes == 97);
}

TEST_CASE("a free or realloc stamped before the block's request waits for it, and its thread with it") {
  Writer main, other;
  main.add(kRawSpawn, 1, 0, 1);
  main.add(kRawMalloc, 220, 0x1000, 10);
  main.add(kRawMalloc, 30'000, 0x2000, 20);
  other.add(kRawFree, 200, 0x1000);
  other.add(kRawMalloc, 201, 0x3000, 30);
  other.add(kRawReallocBegin, 29'900, 0x2000);
  other.add(kRawReallocEnd, 29'910, 0x4000, 40);
  other.add(kRawFree, 29'920, 0x9000);
  const TraceEvents trace = closed_of(main, other);
  CHECK(trace.header.repaired_inversions == 2);
  CHECK(trace.header.unknown_frees == 1);
  const std::vector<Event>& events = trace.of_thread.at(1);
  REQUIRE(events.size() == 3);
  CHECK(events[0].takes == Object{0, 0});
  CHECK(events[1].size == 30);
  CHECK(events[2].takes == Object{0, 1});
  CHECK(trace.header.end_live_bytes == 70);
}

TEST_CASE(
    "a thread frees a block and gets its address again, and the new one's free by another comes before all "
    "that") {
  Writer main, other;
  main.add(kRawMalloc, 100, 0x1000, 10);
  main.add(kRawFree, 210, 0x1000);
  main.add(kRawMalloc, 220, 0x1000, 20);
  main.add(kRawMalloc, 230, 0x5000, 30);
  other.add(kRawFree, 205, 0x1000);
  const TraceEvents trace = closed_of(main, other);
  CHECK(trace.header.repaired_inversions == 1);
  CHECK(trace.header.unknown_frees == 0);
  CHECK(trace.header.lost_events == 0);
  CHECK(trace.frees(10) == 1);
  CHECK(trace.frees(20) == 1);
  CHECK(trace.header.end_live_bytes == 30);
}

TEST_CASE("a thread's own order is certain: its free is of the block that it got last") {
  Writer main, other;
  main.add(kRawMalloc, 100, 0x1000, 10);
  main.add(kRawMalloc, 200, 0x1000, 20);
  main.add(kRawFree, 210, 0x1000);
  other.add(kRawFree, 220, 0x1000);
  const TraceEvents trace = closed_of(main, other);
  CHECK(trace.of_thread.at(0)[3].op == Op::kSpawn);  // of the thread that came without
  const auto& frees = trace.of_thread.at(0);
  CHECK(std::count_if(frees.begin(), frees.end(), [](const Event& event) {
          return event.takes == Object{0, 1};
        }) == 1);
  CHECK(trace.of_thread.at(1)[0].takes == Object{0, 0});
  CHECK(trace.header.repaired_inversions == 1);
}

TEST_CASE("a free that never comes was lost: the older object is freed, and the event counted") {
  Made made;
  Writer main;
  main.add(kRawMalloc, 100, 0x1000, 10);
  main.add(kRawMalloc, 200, 0x1000, 20);
  main.add(kRawMalloc, 100'000'000, 0x3000, 30);
  main.add(kRawFree, 100'000'001, 0x1000);
  made.chunk(0, 0, main.bytes);
  const TraceEvents trace = made.closed();
  CHECK(trace.header.lost_events == 1);
  CHECK(trace.header.repaired_inversions == 0);
  CHECK(trace.frees(10) == 1);
  CHECK(trace.frees(20) == 1);
  CHECK(trace.header.end_live_bytes == 30);
}

TEST_CASE("frees and reallocs of unknown addresses are counted, and those of hidden blocks are not") {
  Made made;
  Writer main;
  main.add(kRawFree, 1, 0x9000);
  main.add(kRawReallocBegin, 2, 0xa000);
  main.add(kRawReallocEnd, 3, 0xb000, 50);
  main.add(kRawHidden, 4, 0xc000);
  main.add(kRawFree, 5, 0xc000);
  main.add(kRawHidden, 6, 0xc000);
  main.add(kRawReallocBegin, 7, 0xc000);
  main.add(kRawReallocEnd, 8, 0xd000, 60);
  made.chunk(0, 0, main.bytes);
  const TraceEvents trace = made.closed();
  CHECK(trace.header.unknown_frees == 2);
  CHECK(trace.count(Op::kMalloc, 50) == 1);
  CHECK(trace.count(Op::kMalloc, 60) == 1);
  CHECK(trace.header.events == 2);
}

TEST_CASE(
    "a realloc that failed leaves its block, one of 0 bytes may free it, one without an end did not happen") {
  Made made;
  Writer main;
  main.add(kRawMalloc, 1, 0x1000, 10);
  main.add(kRawReallocBegin, 2, 0x1000);
  main.add(kRawReallocFailed, 3, 0, 1000);
  main.add(kRawReallocBegin, 4, 0x1000);
  main.add(kRawReallocFreed, 5);
  main.add(kRawMalloc, 6, 0x1000, 20);
  main.add(kRawReallocBegin, 7, 0x1000);
  made.chunk(0, 0, main.bytes);
  const TraceEvents trace = made.closed();
  CHECK(trace.header.refused_requests == 1);
  CHECK(trace.frees(10) == 1);
  CHECK(trace.count(Op::kRealloc) == 0);
  CHECK(trace.header.end_live_bytes == 20);
}

TEST_CASE("threads are numbered as they start, silent ones left out, and end with their last event") {
  Made made;
  Writer main, late, unknown;
  main.add(kRawSpawn, 1, 0, 5);
  main.add(kRawSpawn, 2, 0, 7);
  main.add(kRawMalloc, 3, 0x1000, 10);
  late.add(kRawEnd, 10);
  late.add(kRawFree, 11, 0x1000);
  unknown.add(kRawMalloc, 4, 0x2000, 20);
  made.chunk(7, 0, late.bytes);
  made.chunk(0, 0, main.bytes);
  made.chunk(9, 0, unknown.bytes);
  const TraceEvents trace = made.closed();
  CHECK(trace.header.threads == 3);
  CHECK(trace.count(Op::kSpawn) == 2);
  CHECK(trace.of_thread.at(1)[0].op == Op::kFree);
  CHECK(trace.of_thread.at(1)[1].op == Op::kEnd);
  CHECK(trace.of_thread.at(2)[0].size == 20);
}

TEST_CASE("a thread whose only events are frees of unknown blocks has its number before the next one") {
  Made made;
  Writer main, frees, asks;
  main.add(kRawMalloc, 100'000, 0x1000, 10);
  frees.add(kRawFree, 1, 0x9000);
  asks.add(kRawMalloc, 50'000, 0x2000, 20);
  made.chunk(0, 0, main.bytes);
  made.chunk(1, 0, frees.bytes);
  made.chunk(2, 0, asks.bytes);
  const TraceEvents trace = made.closed();
  CHECK(trace.header.threads == 3);
  CHECK(trace.header.unknown_frees == 1);
  CHECK(trace.of_thread.at(2)[0].size == 20);
}

TEST_CASE("chunks are put in order, holes passed over, and a chunk that is there twice counts once") {
  Made made;
  Writer first, second;
  first.add(kRawMalloc, 10, 0x1000, 10);
  second.time = 20;
  second.add(kRawMalloc, 25, 0x2000, 20);
  made.chunk(0, 1, second.bytes, 20);
  made.hole(3 * kRawPage);
  made.chunk(0, 0, first.bytes);
  // A copy that a full disk cut short: the whole one counts, wherever it stands.
  Writer cut = second;
  cut.bytes.resize(1);
  made.chunk(0, 1, cut.bytes, 20);
  made.hole(kRawPage);
  TraceEvents trace = made.closed();
  CHECK(trace.header.events == 2);
  CHECK(trace.of_thread.at(0)[1].size == 20);
  CHECK(trace.header.lost_events == 0);
  // One that is missing in between is counted.
  Writer fourth;
  fourth.time = 30;
  fourth.add(kRawFree, 31, 0x1000);
  made.chunk(0, 3, fourth.bytes, 30);
  trace = made.closed();
  CHECK(trace.header.events == 3);
  CHECK(trace.header.lost_events == 1);
}

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

TEST_CASE("the map of addresses agrees with std::map under random changes") {
  AddressMap map;
  std::map<std::uint64_t, std::uint64_t> expected;
  std::mt19937 random(7);
  for (int step = 0; step < 200000; ++step) {
    const std::uint64_t address = random() % 5000 * (random() % 2 == 0 ? 2 : 0x10000);
    LiveObject* const found = map.find(address);
    REQUIRE((found != nullptr) == (expected.count(address) == 1));
    if (found == nullptr) {
      map.insert(address, {{0, static_cast<std::uint64_t>(step)}, 1});
      expected[address] = static_cast<std::uint64_t>(step);
    } else {
      REQUIRE(found->name.serial == expected[address]);
      map.erase(address);
      expected.erase(address);
    }
    REQUIRE(map.size() == expected.size());
  }
}

}  // namespace
}  // namespace heapmark::trace
