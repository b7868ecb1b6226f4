// What the recorder writes down of a program, against what the program did: recorded.c and recorded_cxx.cc
// say how often they ask for a block of which size.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <set>
#include <sstream>

#include "harness/cli/tests/recording.h"

namespace heapmark::testing {
namespace {

using trace::End;
using trace::Op;

void require_fine(const Recording& recording, int exit_code = 0) {
  INFO(recording.ended.err);
  REQUIRE(recording.ended.exit_code == exit_code);
  CHECK_FALSE(std::filesystem::exists(recording.raw()));
}

// `count` blocks of that size were asked for and freed.
void check_pairs(const TraceEvents& trace, std::uint64_t count, std::uint64_t size) {
  INFO("blocks of " << size);
  CHECK(trace.count(Op::kMalloc, size) == count);
  CHECK(trace.frees(size) == count);
}

void check_nothing_odd(const TraceEvents& trace) {
  CHECK(trace.header.unknown_frees == 0);
  CHECK(trace.header.lost_events == 0);
}

TEST_CASE("every form of the malloc family is recorded once, with its size and alignment", "[record]") {
  for (const std::string allocator : {"", "glibc", "brkmmap"}) {
    Recording recording;
    record_into(recording, {recorded_program(), "all-forms"},
                allocator.empty() ? std::vector<std::string>{} : std::vector<std::string>{"-a", allocator});
    require_fine(recording);
    const TraceEvents trace = first_trace(recording);
    check_nothing_odd(trace);
    check_pairs(trace, 1, 3100);
    CHECK(trace.count(Op::kCalloc, 3120) == 1);
    CHECK(trace.frees(3120) == 1);
    check_pairs(trace, 1, 3101);
    CHECK(trace.count(Op::kMalloc, 3102) == 1);
    CHECK(trace.frees(3102) == 0);
    CHECK(trace.count(Op::kRealloc, 3103) == 1);
    CHECK(trace.frees(3103) == 1);
    check_pairs(trace, 1, 3104);
    std::map<std::uint64_t, unsigned> alignments;
    for (const auto& event : trace.of_thread.at(0))
      if (event.op == Op::kAligned) {
        alignments[event.size] = event.log2_alignment;
        CHECK(trace.frees(event.size) == 1);
      }
    CHECK(alignments ==
          std::map<std::uint64_t, unsigned>{{3105, 6}, {8192, 12}, {3107, 8}, {3108, 12}, {4096, 12}});
    CHECK(trace.count(Op::kRefused, std::uint64_t{1} << 62) == 2);
    check_pairs(trace, 1, 3110);
    CHECK(trace.header.refused_requests == 2);
  }
}

TEST_CASE("every form of new and delete is recorded once, and a new that throws does no harm", "[record]") {
  for (const std::string allocator : {"glibc", "brkmmap"}) {
    Recording recording;
    record_into(recording, {recorded_program("recorded-cxx")}, {"-a", allocator});
    require_fine(recording);
    const TraceEvents trace = first_trace(recording);
    check_nothing_odd(trace);
    for (std::uint64_t size = 4001; size <= 4012; ++size) {
      INFO(allocator << ", blocks of " << size);
      const bool aligned = size >= 4007 && size <= 4010;
      CHECK(trace.count(Op::kMalloc, size) == (aligned ? 0 : 1));
      // libstdc++ may ask its aligned_alloc for a multiple of the alignment.
      if (aligned)
        CHECK(trace.count(Op::kAligned, size) + trace.count(Op::kAligned, (size + 127) / 128 * 128) >= 1);
      if (!aligned) CHECK(trace.frees(size) == 1);
    }
    CHECK(trace.count(Op::kAligned) == 4);
    CHECK(trace.header.threads == 2);
  }
}

TEST_CASE("time stamps of the clock do as well as those of the counter", "[record]") {
  Recording by_counter, by_clock;
  record_into(
      by_counter,
      {"sh", "-c", recorded_program() + " pairs 1000; sleep 0.3; " + recorded_program() + " pairs 1000"});
  ::setenv("HEAPMARK_RECORD_CLOCK", "1", 1);
  record_into(by_clock, {recorded_program(), "races"});
  ::unsetenv("HEAPMARK_RECORD_CLOCK");
  require_fine(by_clock);
  const TraceEvents trace = first_trace(by_clock);
  check_nothing_odd(trace);
  CHECK(trace.header.end_live_objects <= 100);
  CHECK(trace.header.duration_ticks > 0);
  // Two programs a while apart: what the counter says of it is what the clock says.
  require_fine(by_counter);
  std::vector<std::uint64_t> starts;
  for (const auto& path : by_counter.others()) {
    const TraceEvents one = read_trace(path);
    if (one.count(Op::kMalloc, 3006) == 1000) starts.push_back(one.header.start_unix_ns);
  }
  REQUIRE(starts.size() == 2);
  CHECK(std::max(starts[0], starts[1]) - std::min(starts[0], starts[1]) >= 300'000'000);
}

TEST_CASE("threads are recorded with their starts and ends, and frees by another thread", "[record]") {
  Recording recording;
  record_into(recording, {recorded_program(), "threads"});
  require_fine(recording);
  const TraceEvents trace = first_trace(recording);
  check_nothing_odd(trace);
  CHECK(trace.header.threads == 41);
  CHECK(trace.count(Op::kSpawn) == 40);
  CHECK(trace.count(Op::kEnd) == 40);
  check_pairs(trace, 2000, 3001);
  std::uint64_t by_main = 0;
  for (const auto& event : trace.of_thread.at(0))
    by_main += event.op == Op::kFree && event.takes.thread != 0 ? 1U : 0U;
  CHECK(by_main == 2000);
  for (std::uint32_t thread = 1; thread <= 40; ++thread) {
    INFO("thread " << thread);
    std::uint64_t asked = 0;
    for (const auto& event : trace.of_thread.at(thread))
      asked += event.op == Op::kMalloc && event.size == 3001 ? 1U : 0U;
    CHECK(asked == 50);
    CHECK(trace.of_thread.at(thread).back().op == Op::kEnd);
  }
}

TEST_CASE("what a thread's last destructors ask for is still its own", "[record]") {
  Recording recording;
  record_into(recording, {recorded_program(), "late-threads"});
  require_fine(recording);
  const TraceEvents trace = first_trace(recording);
  check_nothing_odd(trace);
  check_pairs(trace, 50, 3021);
  check_pairs(trace, 40, 3020);
  CHECK(trace.count(Op::kEnd) == 10);
  for (const auto& event : trace.of_thread.at(0)) CHECK(event.size != 3020);
}

TEST_CASE("a thread that is cancelled unwinds through the recorder", "[record]") {
  Recording recording;
  record_into(recording, {recorded_program(), "cancelled"});
  require_fine(recording);
  const TraceEvents trace = first_trace(recording);
  check_pairs(trace, 1, 3022);
  CHECK(trace.count(Op::kEnd) == 1);
}

TEST_CASE("a forked child has a trace of its own, however it was forked", "[record]") {
  for (const std::string how : {"fork", "raw-fork"}) {
    INFO(how);
    Recording recording;
    record_into(recording, {recorded_program(), how});
    require_fine(recording);
    const TraceEvents parent = first_trace(recording);
    check_nothing_odd(parent);
    CHECK(parent.count(Op::kMalloc, 3002) == 20);
    CHECK(parent.count(Op::kMalloc, 3003) == 0);
    REQUIRE(recording.others().size() == 1);
    const TraceEvents child = read_trace(recording.others()[0]);
    REQUIRE(child.error.empty());
    check_pairs(child, 20, 3003);
    CHECK(child.count(Op::kMalloc, 3002) == 0);
    CHECK(recording.others()[0].filename() == "t." + std::to_string(child.header.pid) + ".hmtrace");
    CHECK(child.header.end == static_cast<std::uint32_t>(End::kExit));
    CHECK(parent.header.pid != child.header.pid);
  }
}

TEST_CASE("a program that forks 1,000 times leaves 1,001 whole traces", "[record]") {
  Recording recording;
  record_into(recording, {recorded_program(), "forks", "1000"});
  require_fine(recording);
  check_pairs(first_trace(recording), 2, 3002);
  REQUIRE(recording.others().size() == 1000);
  std::set<std::uint64_t> pids;
  for (const auto& path : recording.others()) {
    const TraceEvents child = read_trace(path);
    REQUIRE(child.error.empty());
    REQUIRE(child.count(Op::kMalloc, 3004) == 1);
    REQUIRE(child.frees(3004) == 1);
    pids.insert(child.header.pid);
  }
  CHECK(pids.size() == 1000);
  CHECK(recording.ended.err.find("and 981 more processes") != std::string::npos);
}

TEST_CASE("what a process becomes by exec has a trace of its own", "[record]") {
  Recording recording;
  record_into(recording, {recorded_program(), "exec"});
  require_fine(recording);
  const TraceEvents before = first_trace(recording);
  check_pairs(before, 5, 3005);
  CHECK(before.header.end == static_cast<std::uint32_t>(End::kExec));
  REQUIRE(recording.others().size() == 1);
  const TraceEvents after = read_trace(recording.others()[0]);
  check_pairs(after, 7, 3006);
  CHECK(after.header.end == static_cast<std::uint32_t>(End::kExit));
  CHECK(after.header.pid == before.header.pid);
  CHECK(recording.others()[0].filename() == "t." + std::to_string(after.header.pid) + "-2.hmtrace");
  CHECK(after.text.find(" pairs 7\n") != std::string::npos);
}

TEST_CASE("calls before all constructors and after the destructors are recorded", "[record]") {
  Recording recording;
  record_into(recording, {"env", "RECORDED_EARLY=1", recorded_program("recorded-early"), "early"});
  require_fine(recording);
  // env becomes the program.
  REQUIRE(recording.others().size() == 1);
  const TraceEvents trace = read_trace(recording.others()[0]);
  REQUIRE(trace.error.empty());
  check_nothing_odd(trace);
  CHECK(trace.count(Op::kMalloc, 3009) == 3);
  CHECK(trace.count(Op::kMalloc, 3030) == 1);
  CHECK(trace.frees(3030) == 1);
  CHECK(trace.count(Op::kMalloc, 3031) == 1);
}

TEST_CASE("two threads that change and free each other's blocks are recorded to the last event", "[record]") {
  Recording recording;
  record_into(recording, {recorded_program(), "races"});
  require_fine(recording);
  const TraceEvents trace = first_trace(recording);
  long made = 0, resized = 0, freed = 0;
  for (const std::uint32_t thread : {1U, 2U})
    for (const auto& event : trace.of_thread.at(thread)) {
      made += event.op == Op::kMalloc ? 1 : 0;
      resized += event.op == Op::kRealloc ? 1 : 0;
      freed += event.op == Op::kFree ? 1 : 0;
    }
  // What is left at the end the first thread frees, after both have ended.
  for (const auto& event : trace.of_thread.at(0))
    freed += event.op == Op::kFree && event.takes.thread != 0 ? 1 : 0;
  long requests = 0, resizes = 0, frees = 0;
  std::istringstream(recording.ended.out) >> requests >> resizes >> frees;
  REQUIRE(resizes > 1000);
  CHECK(made + resized == requests + resizes);
  // The clocks of two CPUs may leave a free or realloc without its block, and all say so.
  const long odd = static_cast<long>(trace.header.unknown_frees + trace.header.lost_events);
  CHECK(odd <= requests / 1000);
  CHECK(std::abs(resized - resizes) <= odd + static_cast<long>(trace.header.repaired_inversions));
  CHECK(std::abs(freed - frees) <= odd + static_cast<long>(trace.header.repaired_inversions));
}

TEST_CASE("a library loaded while the program runs is recorded; one that goes past the recorder is counted",
          "[record]") {
  Recording recording;
  record_into(recording, {recorded_program(), "plugin", build_folder() + "/librecorded-plugin.so"});
  require_fine(recording);
  const TraceEvents trace = first_trace(recording);
  check_pairs(trace, 10, 3011);
  CHECK(trace.count(Op::kMalloc, 3015) == 0);
  CHECK(trace.header.unknown_frees == 10);
}

}  // namespace
}  // namespace heapmark::testing
