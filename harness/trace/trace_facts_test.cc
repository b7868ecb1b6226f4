#include "harness/trace/trace_facts.h"

#include <catch2/catch.hpp>

#include "harness/trace/example_trace.h"
#include "testing/folder.h"

namespace heapmark::trace {
namespace {

constexpr std::uint64_t kMs = 1'000'000;

TEST_CASE("the facts of a small trace are those worked out by hand") {
  const testing::Folder folder;
  WriterOptions options;
  options.tick_ns = 1000;
  TraceWriter writer(folder.path() / "t", options);
  const LiveObject a = writer.request(0, 1 * kMs, Op::kMalloc, 100);  // lives 1 to 5 ms
  writer.spawn(0, 2 * kMs, 1);
  const LiveObject b = writer.request(1, 3 * kMs, Op::kAligned, 5000, 12);  // lives 3 to 4 ms
  const LiveObject c = writer.resize(1, 4 * kMs, b, 20'000, true);          // the peak: 20,100; for good
  writer.free(1, 5 * kMs, a);
  writer.refused(0, 30 * kMs, 1 << 30);
  const LiveObject d = writer.request(0, 31 * kMs, Op::kCalloc, 0);
  const LiveObject e = writer.resize(0, 31 * kMs, d, 8, false);
  writer.free(0, 32 * kMs, e);
  writer.end(1, 52 * kMs);
  writer.request(0, 61 * kMs, Op::kMalloc, 100);
  writer.finish(End::kExit, {});
  (void)c;

  TraceReading reading(folder.path() / "t");
  const TraceFacts facts = facts_of(reading);
  CHECK(facts.duration_ns == 61 * kMs);
  CHECK(facts.events_by_op[static_cast<std::size_t>(Op::kMalloc)] == 2);
  CHECK(facts.events_by_op[static_cast<std::size_t>(Op::kRealloc)] == 2);
  CHECK(facts.events_by_op[static_cast<std::size_t>(Op::kFree)] == 2);
  CHECK(facts.events_by_op[static_cast<std::size_t>(Op::kRefused)] == 1);
  CHECK(facts.requests == 6);
  CHECK(facts.requested_bytes == 100 + 5000 + 20'000 + 0 + 8 + 100);
  CHECK(facts.zero_requests == 1);
  CHECK(facts.refused_bytes == 1 << 30);

  CHECK(facts.given_up == 4);
  CHECK(facts.given_up_by_others == 1);
  CHECK(facts.given_up_bytes_by_others == 100);
  CHECK(facts.reallocs.count == 2);
  CHECK(facts.reallocs.moved == 1);
  CHECK(facts.reallocs.grew == 2);
  CHECK(facts.reallocs.copied_bytes == 5000);
  CHECK(facts.reallocs.growth == Approx(4.0));

  CHECK(facts.peak_bytes == 20'100);
  CHECK(facts.peak_objects == 2);
  CHECK(facts.peak_ns == 4 * kMs);
  CHECK(facts.least_rss_bytes == 5 * kPageBytes);
  CHECK(facts.peak_written_bytes == 20'100);
  CHECK(facts.told.requests == 0);
  CHECK(facts.sizes_at_peak.count() == 2);
  CHECK(facts.sizes_at_peak.classes[15].bytes == 20'000);  // 16,384 to 32,767
  CHECK(facts.sizes_never_freed.classes[7].count == 1);    // 64 to 127
  CHECK(facts.sizes_never_freed.classes[15].count == 1);
  CHECK(facts.header.end_live_bytes == 20'100);

  CHECK(facts.sizes.classes[0].count == 1);
  CHECK(facts.sizes.classes[4].count == 1);
  CHECK(facts.sizes.classes[7].count == 2);
  CHECK(facts.lifetimes_ns.classes[0].count == 1);   // d, within a tick
  CHECK(facts.lifetimes_ns.classes[20].count == 2);  // 1 ms: 2^19 to 2^20 - 1
  CHECK(facts.lifetimes_ns.classes[22].count == 1);  // 4 ms
  CHECK(facts.alignments.classes[13].count == 1);    // 4096
  CHECK(facts.alignments.count() == 1);
  REQUIRE(facts.top_by_count.size() == 5);
  CHECK(facts.top_by_count[0].size == 100);
  CHECK(facts.top_by_count[0].count == 2);
  CHECK(facts.top_by_bytes[0].size == 20'000);
  CHECK(!facts.top_is_approximate);

  REQUIRE(facts.threads.size() == 2);
  CHECK(facts.max_threads_at_once == 2);
  CHECK(facts.threads[1].start_ns == 2 * kMs);
  CHECK(facts.threads[1].end_ns == 52 * kMs);
  CHECK(facts.threads[1].ended);
  CHECK(!facts.threads[0].ended);
  CHECK(facts.threads[0].end_ns == 61 * kMs);
  CHECK(facts.threads[1].frees == 2);
  CHECK(facts.threads[1].frees_of_others == 1);
  CHECK(facts.thread_lifetimes_ns.count() == 1);
  CHECK(facts.idle.count == 2);
  CHECK(facts.idle.total_ns == (25 + 20) * kMs);
  CHECK(facts.idle.longest_ns == 25 * kMs);
  CHECK(facts.idle.longest_start_ns == 5 * kMs);
}

TEST_CASE("the moments cover the whole duration and keep its peak") {
  const testing::Folder folder;
  for (const std::uint64_t events : {10U, 1000U, 30'000U}) {
    ExampleOptions options;
    options.events = events;
    options.tick_ns = 1;
    options.idle_ns = 20 * kMs;
    write_example(folder.path() / "t", options);
    TraceReading reading(folder.path() / "t");
    const TraceFacts facts = facts_of(reading);
    REQUIRE(!facts.moments.empty());
    CHECK(facts.moments.size() <= kMoments);
    std::uint64_t peak = 0, counted = 0, bytes = 0;
    for (std::size_t at = 0; at < facts.moments.size(); ++at) {
      const Moment& one = facts.moments[at];
      peak = std::max(peak, one.max_live_bytes);
      counted += one.events;
      bytes += one.requested_bytes;
      CHECK(one.max_live_bytes >= one.end_live_bytes);
      if (at > 0) CHECK(one.max_live_bytes >= facts.moments[at - 1].end_live_bytes);
    }
    CHECK(peak == facts.peak_bytes);
    CHECK(counted == facts.header.events);
    CHECK(bytes == facts.requested_bytes);
    CHECK(facts.moments.back().end_live_bytes == facts.header.end_live_bytes);
    CHECK(facts.moments.back().start_ns <= facts.duration_ns);
    CHECK(facts.sizes_never_freed.count() == facts.header.end_live_objects);
    CHECK(facts.idle.count == 1);
  }
}

TEST_CASE("of more sizes than are counted the frequent ones are kept, and it is said") {
  const testing::Folder folder;
  TraceWriter writer(folder.path() / "t", {});
  for (std::uint64_t number = 0; number < 300'000; ++number) {
    writer.free(0, number, writer.request(0, number, Op::kMalloc, 100'000 + number));
    if (number % 4 == 0) writer.free(0, number, writer.request(0, number, Op::kMalloc, 99'999));
  }
  writer.finish(End::kExit, {});
  TraceReading reading(folder.path() / "t");
  const TraceFacts facts = facts_of(reading);
  CHECK(facts.top_is_approximate);
  CHECK(facts.top_by_count[0].size == 99'999);
  CHECK(facts.top_by_count[0].count == 75'000);
}

TEST_CASE("the least memory counts what is written to") {
  const testing::Folder folder;
  TraceWriter writer(folder.path() / "t", {});
  const LiveObject a = writer.request(0, 1 * kMs, Op::kMalloc, 1'000'000, 0, 3);
  const LiveObject b = writer.request(0, 2 * kMs, Op::kMalloc, 10'000);
  writer.free(0, 3 * kMs, a);
  const LiveObject c = writer.request(0, 4 * kMs, Op::kMalloc, 200'000, 0, 49);  // all of it
  LiveObject d = writer.resize(0, 5 * kMs, c, 300'000, true, 0);
  writer.free(0, 6 * kMs, b);
  writer.write(0, 7 * kMs, d, 60);
  writer.write(0, 8 * kMs, d, 10);  // no more than before
  writer.write(0, 9 * kMs, d, 74);  // all of it
  writer.finish(End::kExit, {});
  TraceReading reading(folder.path() / "t");
  const TraceFacts facts = facts_of(reading);
  CHECK(facts.peak_bytes == 1'010'000);
  CHECK(facts.told.requests == 3);
  CHECK(facts.told.bytes == 1'500'000);
  CHECK(facts.told.written_bytes == 3 * kPageBytes + 200'000 + 300'000);
  CHECK(facts.peak_written_bytes == 300'000);
  CHECK(facts.least_rss_bytes == 74 * kPageBytes);
}

TEST_CASE("an empty trace has facts") {
  const testing::Folder folder;
  TraceWriter(folder.path() / "t", {}).finish(End::kKilled, {});
  TraceReading reading(folder.path() / "t");
  const TraceFacts facts = facts_of(reading);
  CHECK(facts.requests == 0);
  CHECK(facts.moments.empty());
  CHECK(facts.least_rss_bytes == 0);
  CHECK(facts.lifetimes_ns.quantile_class_start(0.5) == 0);
}

}  // namespace
}  // namespace heapmark::trace
