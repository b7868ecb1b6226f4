// Recordings that tell what was written to of large blocks, closed.
#include <catch2/catch.hpp>

#include "harness/trace/closing.h"
#include "harness/trace/tests/made_recording.h"

namespace heapmark::trace {
namespace {

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

}  // namespace
}  // namespace heapmark::trace
