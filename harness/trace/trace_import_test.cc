#include "harness/trace/trace_import.h"

#include <catch2/catch.hpp>

#include "harness/trace/bad_trace.h"
#include "harness/trace/trace_walk.h"
#include "testing/folder.h"

using Catch::Contains;

namespace heapmark::trace {
namespace {

struct Imported {
  Header header{};
  std::string clock;
  std::vector<Step> steps;
};

Imported imported(const std::string& text, ForeignFormat format) {
  const testing::Folder folder;
  const auto path = folder.path() / "t";
  Imported result;
  result.header = import_trace(text, "log", format, path);
  TraceReading reading(path);
  result.clock = reading.text("clock");
  Step step;
  while (reading.next(step)) result.steps.push_back(step);
  TraceReading again(path);
  check(again);
  return result;
}

Imported from_memory_replay(const std::string& text) {
  return imported(text, ForeignFormat::kMemoryReplay);
}

Imported from_mtrace(const std::string& text) {
  return imported(text, ForeignFormat::kMtrace);
}

std::vector<Op> ops_of(const Imported& result) {
  std::vector<Op> ops;
  for (const Step& step : result.steps) ops.push_back(step.event.op);
  return ops;
}

TEST_CASE("memory_replay: every call becomes its event, with its thread and its sizes") {
  const Imported result = from_memory_replay(
      "186: malloc 0x1000 48\n"
      "186: calloc 0x2000 4 32\n"
      "187: realloc 0x3000 0x2000 300\n"
      "187: realloc 0x3000 0x3000 200\r\n"
      "\n"
      "187: free 0x1000\n"
      "186: memalign 0x1000 48 100\n"  // memalign takes the next power of two
      "187: thread_done 0x0\n"
      "187: malloc 0x4000 1\n"  // another thread that got the same number
      "186: malloc 0x0 77\n"
      "186: realloc 0x5000 0x0 9\n"
      "186: realloc 0x0 0x5000 0\n"  // glibc's free
      "186: free 0x0\n");
  CHECK(ops_of(result) == std::vector{Op::kMalloc, Op::kCalloc, Op::kSpawn, Op::kRealloc, Op::kRealloc,
                                      Op::kFree, Op::kAligned, Op::kEnd, Op::kSpawn, Op::kMalloc,
                                      Op::kRefused, Op::kMalloc, Op::kFree});
  CHECK(result.clock == "events");
  CHECK(result.header.threads == 3);
  CHECK(result.header.end == static_cast<std::uint32_t>(End::kImported));
  CHECK(result.steps[1].event.size == 128);
  CHECK(result.steps[3].thread == 1);
  CHECK(result.steps[3].event.takes == Object{0, 1});
  CHECK(result.steps[3].event.moved);
  CHECK(!result.steps[4].event.moved);
  CHECK(result.steps[6].event.log2_alignment == 6);
  CHECK(result.steps[9].thread == 2);
  CHECK(result.steps[10].event.size == 77);
  CHECK(result.header.unknown_frees == 0);
  CHECK(result.header.end_live_bytes == 200 + 100 + 1);
}

TEST_CASE("memory_replay: a block is there when its call ended, and given up when that call began") {
  const Imported result = from_memory_replay(
      "1: malloc 0x1000 48 1000000 1000500\n"
      "1: free 0x1000 1002500 1009900\n"
      "1: malloc 0x1000 48 1003000 1003500\n");
  REQUIRE(result.steps.size() == 3);
  CHECK(result.clock.empty());
  CHECK(result.header.tick_ns == 100);
  CHECK(result.steps[0].event.tick == 0);
  CHECK(result.steps[1].event.tick == 20);
  CHECK(result.steps[2].event.tick == 30);
}

TEST_CASE("a block handed out while it lives is freed just before, and its late free is left out") {
  const Imported result = from_memory_replay(
      "1: malloc 0x1000 48\n"
      "2: malloc 0x1000 50\n"  // the free of thread 1 is written later
      "1: free 0x1000\n"
      "2: free 0x1000\n"
      "2: free 0x1000\n"
      "1: malloc 0x2000 1\n"
      "1: malloc 0x3000 2\n"
      "1: realloc 0x3000 0x2000 3\n");
  CHECK(result.header.repaired_inversions == 2);
  CHECK(result.header.unknown_frees == 1);
  CHECK(result.header.end_live_bytes == 3);
  CHECK(result.header.end_live_objects == 1);
}

TEST_CASE("frees of addresses that the log does not hand out are counted and left out") {
  const Imported result = from_memory_replay(
      "1: free 0x1000\n"
      "1: realloc 0x3000 0x2000 30\n"
      "1: free 0x3000\n"
      "1: free 0x3000\n");
  CHECK(result.header.unknown_frees == 3);
  CHECK(ops_of(result) == std::vector{Op::kMalloc, Op::kFree});
}

TEST_CASE("a thread whose first line leaves no event has started") {
  const Imported result = from_memory_replay(
      "186: malloc 0x1000 300\n"
      "187: free 0x2000\n"
      "188: malloc 0x3000 10\n");
  CHECK(result.header.threads == 3);
  CHECK(ops_of(result) == std::vector{Op::kMalloc, Op::kSpawn, Op::kSpawn, Op::kMalloc});
}

TEST_CASE("mtrace: every line becomes its event, whatever the caller looks like") {
  const Imported result = from_mtrace(
      "= Start\n"
      "@ ./a.out:[0x401136] + 0x16f36b0 0x64\n"
      "@ /opt/my app/lib.so:(main+0x12)[0x401150] < 0x16f36b0\n"
      "@ /opt/my app/lib.so:(main+0x12)[0x401150] > 0x16f3720 0xc8\n"
      "+ (nil) 0xfffff\n"
      "@ ./a.out:[0x1] ! 0x16f3720 0x1000\n"
      "@ ./a.out:[0x401160] - 0x16f3720\n"
      "@ ./a.out:[0x401160] - 0x16f9999\n"
      "= End\n");
  CHECK(ops_of(result) == std::vector{Op::kMalloc, Op::kRealloc, Op::kRefused, Op::kRefused, Op::kFree});
  CHECK(result.steps[0].event.size == 100);
  CHECK(result.steps[1].event.size == 200);
  CHECK(result.steps[3].event.size == 0x1000);
  CHECK(result.header.unknown_frees == 1);
  CHECK(result.header.refused_requests == 2);
  CHECK(result.clock == "events");
}

TEST_CASE("a line that cannot be read is named by its number, and says what is wrong") {
  const auto wrong = [](const std::string& line, ForeignFormat format, const std::string& says) {
    const testing::Folder folder;
    const std::string before = format == ForeignFormat::kMtrace ? "= Start\n" : "1: malloc 0x1 1\n";
    INFO(line);
    CHECK_THROWS_WITH(import_trace(before + "\n" + line + "\n", "log", format, folder.path() / "t"),
                      Contains("log:3: " + std::string(format_name(format))) && Contains(says));
  };
  constexpr ForeignFormat kReplay = ForeignFormat::kMemoryReplay, kLog = ForeignFormat::kMtrace;
  wrong("1: malloc", kReplay, "TID: malloc 0xADDRESS SIZE");
  wrong("1: malloc 0x1000", kReplay, "malloc lacks the size");
  wrong("1: malloc 0x1000 many", kReplay, "the size should be a number, not 'many'");
  wrong("x: malloc 0x1000 1", kReplay, "the thread should be a number");
  wrong("1: malloc 0x1000 0xffffffffffffffff", kReplay, "no allocator hands out");
  wrong("1: calloc 0x1000 0x8000000000000000 2", kReplay, "no allocator hands out");
  wrong("1: memalign 0x1000 0xffffffffffffffff 2", kReplay, "no alignment is as large");
  wrong("1: mallok 0x1000 1", kReplay, "'mallok' is none of");
  wrong("1: malloc 0x1000 1 2 3 4", kReplay, "more follows");
  wrong("nonsense", kLog, "it should read as '@ CALLER + 0xADDRESS 0xSIZE'");
  wrong("@ a > 0x1 0x2", kLog, "'<' should be before");
}

TEST_CASE("a last line that was cut off is left out and counted; a whole one that is wrong is not") {
  CHECK(from_memory_replay("1: malloc 0x1000 48\n1: mallo").header.lost_events == 1);
  CHECK(from_mtrace("= Start\n@ a + 0x1 0x2\n@ a < 0x").header.lost_events == 1);
  CHECK(from_mtrace("= Start\n@ a + 0x1 0x2\n@ a < 0x1\n\n").header.lost_events == 1);
  CHECK_THROWS_WITH(from_mtrace("@ a + 0x1 0x2\n@ a < 0x1\n@ a + 0x3 0x2\n"),
                    Contains("log:3: mtrace: '>' should follow the '<'"));
  CHECK(from_memory_replay("1: malloc 0x1000 48\n1: malloc 0x2000 4").header.objects == 2);
}

TEST_CASE("a format is recognised by the first line that is not empty") {
  CHECK(recognise("\n186: malloc 0x1 1\n") == ForeignFormat::kMemoryReplay);
  CHECK(recognise("= Start\n") == ForeignFormat::kMtrace);
  CHECK(recognise("@ ./a.out:[0x4] + 0x1 0x2\n") == ForeignFormat::kMtrace);
  CHECK(!recognise("#!/bin/sh\n"));
  CHECK(!recognise(""));
  CHECK(!recognise("12:30 it rained\n"));
}

}  // namespace
}  // namespace heapmark::trace
