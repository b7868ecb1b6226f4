#include "harness/trace/trace_walk.h"

#include <catch2/catch.hpp>
#include <cstring>
#include <map>
#include <random>

#include "harness/trace/example_trace.h"
#include "testing/folder.h"

using Catch::Contains;

namespace heapmark::trace {
namespace {

std::string example(const ExampleOptions& options = {}) {
  const testing::Folder folder;
  write_example(folder.path() / "t", options);
  return testing::contents(folder.path() / "t");
}

// What a check of the bytes says; "" where nothing is wrong.
std::string verdict(const std::string& bytes) {
  try {
    TraceReading reading(bytes, "t");
    check(reading);
  } catch (const BadTrace& error) {
    return error.what();
  }
  return "";
}

Header header_of(const std::string& bytes) {
  Header header{};
  std::memcpy(&header, bytes.data(), sizeof(header));
  return header;
}

// A header that says something else, with a checksum that is right.
template <typename Change>
std::string with_header(std::string bytes, const Change& change) {
  Header header = header_of(bytes);
  change(header);
  header.checksum = fnv1a(&header, offsetof(Header, checksum));
  std::memcpy(bytes.data(), &header, sizeof(header));
  return bytes;
}

TEST_CASE("a trace that the writer made is verified, whatever its segments and ticks") {
  for (const std::uint64_t segment_events : {1U, 3U, 256U, 65536U})
    for (const std::uint64_t tick_ns : {1U, 100U, 1'000'000U}) {
      ExampleOptions options;
      options.events = 3000;
      options.tells_written = tick_ns != 1;
      options.threads = 7;
      options.segment_events = segment_events;
      options.tick_ns = tick_ns;
      INFO(segment_events << " " << tick_ns);
      CHECK(verdict(example(options)).empty());
    }
}

TEST_CASE("an empty trace is verified") {
  const testing::Folder folder;
  TraceWriter(folder.path() / "t", {}).finish(End::kKilled, {});
  CHECK(verdict(testing::contents(folder.path() / "t")).empty());
}

TEST_CASE("events come in the order of their times, each after what it waits for") {
  ExampleOptions options;
  options.tick_ns = 1'000'000;  // many events at each tick, so that times alone do not tell
  options.threads = 9;
  options.tells_written = true;
  const std::string bytes = example(options);
  TraceReading reading(bytes, "t");
  Step step;
  std::map<std::uint32_t, std::uint64_t> made;
  std::vector<bool> started(reading.header().threads);
  started[0] = true;
  std::uint64_t events = 0, tick = 0;
  while (reading.next(step)) {
    ++events;
    REQUIRE(step.event.tick >= tick);
    tick = step.event.tick;
    REQUIRE(started[step.thread]);
    if (refers(step.event.op)) REQUIRE(step.event.takes.serial < made[step.event.takes.thread]);
    if (yields(step.event.op)) REQUIRE(step.event.gives.serial == made[step.thread]++);
    if (step.event.op == Op::kSpawn) started[step.event.spawned] = true;
  }
  CHECK(events == reading.header().events);
}

TEST_CASE("each sum of the header is compared with the events") {
  const std::string whole = example();
  REQUIRE(verdict(whole).empty());
  CHECK_THAT(verdict(with_header(whole, [](Header& to) { --to.objects; })), Contains("number of objects"));
  CHECK_THAT(verdict(with_header(whole, [](Header& to) { ++to.refused_requests; })),
             Contains("number of refused requests"));
  CHECK_THAT(verdict(with_header(whole, [](Header& to) { ++to.threads; })), Contains("number of threads"));
  CHECK_THAT(verdict(with_header(whole, [](Header& to) { --to.end_live_bytes; })),
             Contains("bytes that live at the end"));
  CHECK_THAT(verdict(with_header(whole, [](Header& to) { --to.end_live_objects; })),
             Contains("objects that live at the end"));
  CHECK_THAT(verdict(with_header(whole, [](Header& to) { ++to.max_live_bytes; })),
             Contains("peak of live bytes"));
  CHECK_THAT(verdict(with_header(whole, [](Header& to) { to.max_live_objects += 1000; })),
             Contains("peak of live objects"));
  CHECK_THAT(verdict(with_header(whole, [](Header& to) { --to.max_live_threads; })),
             Contains("number of threads at once"));
  CHECK_THAT(verdict(with_header(whole, [](Header& to) { --to.max_segment_objects; })),
             Contains("largest number of objects of a segment"));
  CHECK_THAT(verdict(with_header(whole, [](Header& to) { ++to.max_segment_bytes; })),
             Contains("largest size of a segment"));
  CHECK_THAT(verdict(with_header(whole, [](Header& to) { ++to.max_segment_raw_bytes; })),
             Contains("largest raw size of a segment"));
}

TEST_CASE("an object that is given up twice is named with its segment and thread") {
  const testing::Folder folder;
  const auto path = folder.path() / "t";
  TraceWriter writer(path, {});
  const LiveObject first = writer.request(0, 10, Op::kMalloc, 100);
  writer.request(0, 20, Op::kMalloc, 100);
  writer.free(0, 30, first);
  writer.free(0, 40, first);  // the writer counts, and does not know the names
  writer.finish(End::kExit, {});
  CHECK_THAT(verdict(testing::contents(path)),
             Contains("segment 0, thread 0: it gives up object 0 of thread 0, which is not live"));
}

TEST_CASE(
    "writing to more than an object has, or to one that told of nothing, is named; to one that is gone is "
    "nothing") {
  const testing::Folder folder;
  const auto path = folder.path() / "t";
  for (const bool told : {false, true})
    for (const std::uint32_t pages : {1U, 2U}) {
      TraceWriter writer(path, {});
      const LiveObject object = writer.request(0, 10, Op::kMalloc, 100, 0, told ? 0 : kNotTold);
      const LiveObject gone = writer.request(0, 10, Op::kMalloc, 100, 0, 0);
      writer.free(0, 20, gone);
      LiveObject wrong{object.name, 10'000, 0}, late{gone.name, 10'000, 0};
      writer.write(0, 30, wrong, pages);
      writer.write(0, 30, late, 2);
      writer.finish(End::kExit, {});
      INFO(told << " " << pages);
      if (told && pages == 1)
        CHECK(verdict(testing::contents(path)).empty());
      else
        CHECK_THAT(verdict(testing::contents(path)),
                   Contains("it writes to more of an object than that has"));
    }
}

TEST_CASE("live objects are found, given up once, and listed, through growth and deletion") {
  LiveObjects live;
  std::map<std::pair<std::uint32_t, std::uint64_t>, std::uint64_t> model;
  std::mt19937 random(3);
  Known known;
  for (std::uint64_t number = 0; number < 200'000; ++number) {
    const Object object{static_cast<std::uint32_t>(random() % 5), random() % 400};
    const auto found = model.find({object.thread, object.serial});
    if (random() % 2 == 0) {
      REQUIRE(live.add(object, {number, 0}) == (found == model.end()));
      if (found == model.end()) model[{object.thread, object.serial}] = number;
    } else {
      REQUIRE((live.find(object) != nullptr) == (found != model.end()));
      REQUIRE(live.take(object, known) == (found != model.end()));
      if (found != model.end()) {
        REQUIRE(known.bytes == found->second);
        model.erase(found);
      }
    }
    REQUIRE(live.size() == model.size());
  }
  std::size_t listed = 0;
  live.each([&](const Object& object, const Known& one) {
    ++listed;
    CHECK(model.at({object.thread, object.serial}) == one.bytes);
  });
  CHECK(listed == model.size());
}

TEST_CASE("what is no file, and what cannot be read, is said by name") {
  CHECK_THROWS_WITH(TraceReading("/nowhere/t.hmtrace"), Contains("/nowhere/t.hmtrace"));
  CHECK_THROWS_WITH(TraceReading("/tmp"), Contains("/tmp: it is a folder"));
  const testing::Folder folder;
  folder.write("empty", "");
  CHECK_THROWS_WITH(TraceReading(folder.path() / "empty"), Contains("the file is empty"));
}

}  // namespace
}  // namespace heapmark::trace
