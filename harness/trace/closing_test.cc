// Raw recordings made by hand, closed: what the clocks of two CPUs disagree about, and what was lost. What
// was written to of blocks: closing_written_test.cc; damage: closing_damaged_test.cc.
#include "harness/trace/closing.h"

#include <catch2/catch.hpp>

#include "harness/trace/tests/made_recording.h"

namespace heapmark::trace {
namespace {

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

}  // namespace
}  // namespace heapmark::trace
