#include "harness/trace/trace_cut.h"

#include <catch2/catch.hpp>
#include <set>

#include "harness/trace/example_trace.h"
#include "harness/trace/trace_facts.h"
#include "harness/trace/trace_walk.h"
#include "testing/folder.h"

namespace heapmark::trace {
namespace {

struct State {
  std::uint64_t live_bytes = 0, live_objects = 0, events = 0, written_bytes = 0;
};

// Before the first event that is not before `tick`.
State state_at(const std::filesystem::path& path, std::uint64_t tick) {
  TraceReading reading(path);
  TraceWalk walk(reading);
  State state;
  while (walk.next() && walk.event().tick < tick)
    state = {walk.live_bytes(), walk.live().size(), state.events + 1, walk.live_written_bytes()};
  return state;
}

struct Cut {
  Header header{};
  std::vector<Step> steps;
};

Cut cut(const std::filesystem::path& from, const std::filesystem::path& to, const CutRange& range) {
  TraceReading whole(from);
  Cut result;
  result.header = cut_trace(whole, range, to);
  TraceReading part(to), again(to);
  check(part);
  Step step;
  while (again.next(step)) result.steps.push_back(step);
  return result;
}

TEST_CASE("a part begins with what lives, and ends as the whole does there") {
  const testing::Folder folder;
  const auto whole = folder.path() / "whole", part = folder.path() / "part";
  ExampleOptions options;
  options.events = 4000;
  options.threads = 8;
  options.tells_written = true;
  const std::uint64_t duration = write_example(whole, options).duration_ticks;
  for (const unsigned percent : {0U, 1U, 30U, 50U, 77U, 99U}) {
    const std::uint64_t from = duration * percent / 100, to = duration * (percent + 20) / 100;
    INFO(percent);
    const Cut result = cut(whole, part, {from * 100, to * 100, "part"});
    const State start = state_at(whole, from), end = state_at(whole, to);
    CHECK(result.header.end == static_cast<std::uint32_t>(End::kCut));
    CHECK(result.header.end_live_bytes == end.live_bytes);
    CHECK(result.header.end_live_objects == end.live_objects);
    CHECK(result.header.duration_ticks <= to - from);
    // At first one request for each object that lives, and a start for each thread that runs but one.
    std::uint64_t requests = 0, bytes = 0, at = 0, written = 0;
    for (; at < result.steps.size() && requests < start.live_objects; ++at) {
      REQUIRE(result.steps[at].event.tick == 0);
      if (!yields(result.steps[at].event.op)) continue;
      ++requests;
      const Event& event = result.steps[at].event;
      bytes += event.size;
      written += written_bytes(event.size, event.written_pages);
    }
    CHECK(requests == start.live_objects);
    CHECK(bytes == start.live_bytes);
    CHECK(written == start.written_bytes);
    CHECK((percent < 30 || written < bytes));
    CHECK(state_at(part, ~std::uint64_t{0}).written_bytes == end.written_bytes);
    CHECK(result.header.events >= start.live_objects + end.events - start.events);
    CHECK(result.header.events <= start.live_objects + end.events - start.events + options.threads);
  }
}

TEST_CASE("the whole cut from its start is the whole") {
  const testing::Folder folder;
  const auto whole = folder.path() / "whole", part = folder.path() / "part";
  ExampleOptions options;
  options.tells_written = true;
  const Header header = write_example(whole, options);
  const Cut result = cut(whole, part, {0, ~std::uint64_t{0}, "0s.."});
  CHECK(result.header.events == header.events);
  CHECK(result.header.objects == header.objects);
  CHECK(result.header.end_live_bytes == header.end_live_bytes);
  CHECK(result.header.duration_ticks == header.duration_ticks);
  TraceReading one(whole), two(part);
  const TraceFacts facts = facts_of(one), of_part = facts_of(two);
  CHECK(facts.events_by_op == of_part.events_by_op);
  CHECK(facts.requested_bytes == of_part.requested_bytes);
  CHECK(facts.given_up_by_others == of_part.given_up_by_others);
  CHECK(facts.told.requests > 100);
  CHECK(facts.told.requests == of_part.told.requests);
  CHECK(facts.told.written_bytes == of_part.told.written_bytes);
  CHECK(two.text("cut") == "0s..");
  CHECK(two.text("command") == one.text("command"));
}

TEST_CASE("a part in which nothing happens holds what lives") {
  const testing::Folder folder;
  const auto whole = folder.path() / "whole", part = folder.path() / "part";
  TraceWriter writer(whole, {});
  writer.request(0, 1000, Op::kAligned, 100, 6);
  const LiveObject freed = writer.request(0, 2000, Op::kMalloc, 50);
  writer.free(0, 900'000, freed);
  writer.finish(End::kExit, {});
  const Cut between = cut(whole, part, {10'000, 20'000, "between"});
  REQUIRE(between.steps.size() == 2);
  CHECK(between.steps[0].event.op == Op::kAligned);
  CHECK(between.steps[0].event.log2_alignment == 6);
  CHECK(between.header.end_live_bytes == 150);
  CHECK(cut(whole, part, {1'000'000, 2'000'000, "after"}).header.end_live_bytes == 100);
}

TEST_CASE("what a thread left behind that has ended is requested by the first one") {
  const testing::Folder folder;
  const auto whole = folder.path() / "whole", part = folder.path() / "part";
  TraceWriter writer(whole, {});
  writer.request(0, 0, Op::kMalloc, 1);
  const LiveObject left = writer.request(1, 100, Op::kMalloc, 10);
  writer.request(2, 200, Op::kMalloc, 20);
  writer.end(0, 300);
  writer.end(1, 400);
  writer.free(2, 10'000, left);
  writer.spawn(2, 10'100, 3);
  writer.request(3, 10'200, Op::kCalloc, 30);
  writer.finish(End::kExit, {});
  const Cut result = cut(whole, part, {5000, ~std::uint64_t{0}, "5us.."});
  CHECK(result.header.threads == 2);
  CHECK(result.header.end_live_bytes == 1 + 20 + 30);
  std::multiset<std::uint64_t> first;
  for (std::size_t at = 0; at < 3; ++at) {
    CHECK(result.steps[at].thread == 0);
    first.insert(result.steps[at].event.size);
  }
  CHECK(first == std::multiset<std::uint64_t>{1, 10, 20});
  CHECK(result.steps[3].event.op == Op::kFree);
  CHECK(result.steps[3].event.tick == 51);
  CHECK(result.steps.back().thread == 1);
}

}  // namespace
}  // namespace heapmark::trace
