// What the recorder tells of how much a program wrote to of its large blocks: recorded_large.c knows it.
#include <algorithm>
#include <catch2/catch.hpp>
#include <optional>

#include "harness/cli/tests/recording.h"
#include "harness/trace/trace_walk.h"

namespace heapmark::testing {
namespace {

using trace::kNotTold;

// Of the one block of that size: its pages, where it was made by a request of that kind.
std::optional<std::uint32_t> pages_of_block(const TraceEvents& trace, std::uint64_t size) {
  std::optional<std::uint32_t> pages;
  for (const auto& [thread, events] : trace.of_thread)
    for (const trace::Event& event : events) {
      if (!trace::yields(event.op) || event.size != size) continue;
      CHECK_FALSE(pages);
      pages = event.written_pages;
    }
  return pages;
}

void record_large(Recording& recording, const std::string& how, int exit_code = 0,
                  std::vector<std::string> flags = {}) {
  flags.insert(flags.end(), {"-a", "glibc"});
  record_into(recording, {recorded_program("recorded-large"), how, recording.output().string()}, flags);
  INFO(recording.ended.err);
  REQUIRE(recording.ended.exit_code == exit_code);
  trace::TraceReading reading(recording.output());
  CHECK_NOTHROW(trace::check(reading));
}

// Of the one block of that size, how many pages were told, at first and by later events.
std::vector<std::uint32_t> looks_at_block(const TraceEvents& trace, std::uint64_t size) {
  std::vector<std::uint32_t> pages;
  trace::Object object{};
  for (const trace::Event& event : trace.of_thread.at(0)) {
    if (trace::yields(event.op) && event.size == size) {
      object = event.gives;
      pages.push_back(event.written_pages);
    }
    if (event.op == trace::Op::kWrite && !pages.empty() && event.takes == object)
      pages.push_back(event.written_pages);
  }
  return pages;
}

// What is freed while the program runs. A page of a huge page would have 512 of them.
void check_freed(const TraceEvents& trace) {
  CHECK(pages_of_block(trace, 1000001) == 3);
  CHECK(pages_of_block(trace, 1000002) == 3);
  CHECK(pages_of_block(trace, 2000002) == 10);
  CHECK(pages_of_block(trace, 8000003) == 1);  // the header's
  CHECK(pages_of_block(trace, 1000004) == 5);
  CHECK(pages_of_block(trace, 200005) == 49);
  CHECK(pages_of_block(trace, 49151) == kNotTold);
  CHECK(trace.header.version == 2);
}

TEST_CASE("how many pages of a large block were written to is recorded when it goes", "[record]") {
  Recording recording;
  record_large(recording, "");
  const TraceEvents trace = first_trace(recording);
  check_freed(trace);
  CHECK(pages_of_block(trace, 1000010) == 9);  // lives to the end
  // Fifty more pages each 10 ms, in which there are two looks at least.
  const std::vector<std::uint32_t> looks = looks_at_block(trace, 3000007);
  REQUIRE(looks.size() >= 5);
  CHECK(looks.front() >= 50);
  CHECK(looks.front() <= 100);
  CHECK(looks.back() == 500);
  CHECK(std::is_sorted(looks.begin(), looks.end()));
  // Beyond 2 GiB every other 4 MiB are looked at. Not there where the machine does not give that much.
  if (const auto pages = pages_of_block(trace, 6000000006))
    CHECK(*pages == Approx(7 + 1024 + 2048).margin(10));
}

TEST_CASE("by the clock's time stamps the recorded pages are the same", "[record]") {
  ::setenv("HEAPMARK_RECORD_CLOCK", "1", 1);
  Recording recording;
  record_large(recording, "");
  ::unsetenv("HEAPMARK_RECORD_CLOCK");
  check_freed(first_trace(recording));
}

TEST_CASE("of what lives when a program is killed the looks are told", "[record]") {
  Recording recording;
  record_large(recording, "kill", 128 + 9);
  const TraceEvents trace = first_trace(recording);
  check_freed(trace);
  CHECK(pages_of_block(trace, 1000010) == 9);
  CHECK(pages_of_block(trace, 1000012) == kNotTold);  // of the last moment
}

TEST_CASE("where recording ends in the middle, the pages of all large blocks until then are told",
          "[record]") {
  Recording recording;
  record_large(recording, "stay", 0, {"--for", "2s"});
  const TraceEvents trace = first_trace(recording);
  check_freed(trace);
  CHECK(trace.header.end == static_cast<std::uint32_t>(trace::End::kTime));
  CHECK(trace.header.unknown_frees == 0);
  std::size_t told = 0, not_told = 0;
  for (const trace::Event& event : trace.of_thread.at(0))
    if (trace::yields(event.op) && event.size == 1000013) ++(event.written_pages == 2 ? told : not_told);
  CHECK(told > 100);
  CHECK(not_told <= 1);  // the one that lived when recording ended
}

TEST_CASE("a program that refuses mincore(2) is recorded, and nothing is told", "[record]") {
  Recording recording;
  record_large(recording, "refused");
  const TraceEvents trace = first_trace(recording);
  CHECK(pages_of_block(trace, 1000001) == kNotTold);
  CHECK(pages_of_block(trace, 1000010) == kNotTold);
  CHECK(trace.frees(1000001) == 1);
  CHECK(trace.header.version == 1);
}

TEST_CASE("a forked child tells of its own blocks, and its parent of its own", "[record]") {
  Recording recording;
  record_large(recording, "fork");
  CHECK(pages_of_block(first_trace(recording), 1000010) == 9);
  REQUIRE(recording.others().size() == 1);
  const TraceEvents child = read_trace(recording.others()[0]);
  REQUIRE(child.error.empty());
  CHECK(child.header.unknown_frees == 1);
  CHECK(pages_of_block(child, 1000011) == 4);
  CHECK_FALSE(pages_of_block(child, 1000010));
}

}  // namespace
}  // namespace heapmark::testing
