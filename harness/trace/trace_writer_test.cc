#include "harness/trace/trace_writer.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <map>
#include <random>

#include "harness/trace/example_trace.h"
#include "testing/folder.h"
#include "workloads/contract/trace/reader.h"

using Catch::Contains;

namespace heapmark::trace {
namespace {

std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Everything that a reader can say of a file: its events by thread, or the error.
struct Read {
  std::string error;
  Header header{};
  std::string text;
  std::map<std::uint32_t, std::vector<Event>> events;
};

Read read_all(const std::string& bytes) {
  Read read;
  TraceFile file;
  const auto failed = [&](Error error) {
    if (error != nullptr && read.error.empty()) read.error = error;
    return error != nullptr;
  };
  if (failed(file.open(bytes.data(), bytes.size()))) return read;
  read.header = file.header();
  std::vector<std::uint64_t> workspace(TraceFile::workspace_bytes() / 8 + 1);
  std::vector<std::uint64_t> index(read.header.index_raw_bytes / 8 + 1);
  if (failed(file.read_index(index.data(), workspace.data()))) return read;
  read.text.assign(file.text(), read.header.text_bytes);
  std::vector<std::uint64_t> made(read.header.threads);
  std::string raw(read.header.max_segment_raw_bytes, '\0');
  for (std::uint64_t number = 0; number < read.header.segments; ++number) {
    if (failed(file.read_segment(number, raw.data(), workspace.data()))) return read;
    SegmentParts parts(file, number, raw.data(), made.data());
    std::vector<std::uint64_t> made_after = made;
    while (parts.left() > 0) {
      Part part;
      if (failed(parts.next(part))) return read;
      while (part.left() > 0) {
        Event event{};
        if (failed(part.next(event))) return read;
        if (yields(event.op)) made_after[part.thread()] = event.gives.serial + 1;
        read.events[part.thread()].push_back(event);
      }
    }
    if (failed(parts.finish())) return read;
    made = made_after;
  }
  return read;
}

// Writes random events of several threads and keeps what each thread did.
std::map<std::uint32_t, std::vector<Event>> write_random(const std::filesystem::path& path, unsigned seed,
                                                         std::uint64_t events, std::uint64_t segment_events) {
  WriterOptions options;
  options.segment_events = segment_events;
  options.tick_ns = 1;
  options.text = {{"command", "a\nb"}, {"allocator", "glibc"}};
  TraceWriter writer(path, options);
  std::mt19937 random(seed);
  std::vector<LiveObject> live;
  std::map<std::uint32_t, std::vector<Event>> expected;
  for (const std::uint32_t thread : {1U, 2U}) {
    writer.spawn(0, thread, thread);
    expected[0].push_back({Op::kSpawn, 0, thread, 0, {}, {}, thread, true});
  }
  for (std::uint64_t number = 0; number < events; ++number) {
    const std::uint32_t thread = random() % 3;
    const std::uint64_t time = 100 + number * 7, size = random() % 100000;
    Event event{Op::kMalloc, 0, time, size, {}, {}, 0, true};
    const auto pick = [&] {
      std::swap(live[random() % live.size()], live.back());
      const LiveObject object = live.back();
      live.pop_back();
      return object;
    };
    switch (random() % 7) {
      case 0:
        event.op = Op::kCalloc;
        [[fallthrough]];
      case 1:
        live.push_back(writer.request(thread, time, event.op, size));
        event.gives = live.back().name;
        break;
      case 2:
        event.op = Op::kAligned;
        event.log2_alignment = 12;
        live.push_back(writer.request(thread, time, event.op, size, 12));
        event.gives = live.back().name;
        break;
      case 3:
        event.op = Op::kRefused;
        writer.refused(thread, time, size);
        break;
      case 4:
        if (live.empty()) continue;
        event.op = Op::kRealloc;
        {
          const LiveObject old = pick();
          event.takes = old.name;
          event.moved = random() % 2 == 0;
          live.push_back(writer.resize(thread, time, old, size, event.moved));
          event.gives = live.back().name;
        }
        break;
      default:
        if (live.empty()) continue;
        event.op = Op::kFree;
        event.size = 0;
        const LiveObject old = pick();
        event.takes = old.name;
        writer.free(thread, time, old);
    }
    expected[thread].push_back(event);
  }
  writer.end(2, 100 + events * 7);
  expected[2].push_back({Op::kEnd, 0, 100 + events * 7, 0, {}, {}, 0, true});
  std::uint64_t bytes = 0;
  for (const LiveObject& object : live) bytes += object.bytes;
  const Header header = writer.finish(End::kExit, {3, 4, 5});
  CHECK(header.end_live_objects == live.size());
  CHECK(header.end_live_bytes == bytes);
  return expected;
}

TEST_CASE("what is written is read again, event by event, whatever the length of a segment") {
  const testing::Folder folder;
  const auto path = folder.path() / "t.hmtrace";
  for (const std::uint64_t segment_events : {1U, 7U, 256U, 65536U}) {
    const auto expected = write_random(path, 5, 5000, segment_events);
    const Read read = read_all(bytes_of(path));
    REQUIRE(read.error.empty());
    CHECK(read.header.unknown_frees == 4);
    CHECK(read.header.max_live_threads == 3);
    CHECK(read.text == "command\ta b\nallocator\tglibc\n");
    REQUIRE(read.events.size() == expected.size());
    for (const auto& [thread, events] : expected) {
      REQUIRE(read.events.at(thread).size() == events.size());
      for (std::size_t at = 0; at < events.size(); ++at) {
        const Event &now = read.events.at(thread)[at], &then = events[at];
        REQUIRE(now.op == then.op);
        REQUIRE(now.tick == then.tick);
        REQUIRE(now.moved == then.moved);
        if (has_size(then.op)) REQUIRE(now.size == then.size);
        if (yields(then.op)) REQUIRE(now.gives == then.gives);
        if (gives_up(then.op)) REQUIRE(now.takes == then.takes);
        if (then.op == Op::kAligned) REQUIRE(now.log2_alignment == then.log2_alignment);
        if (then.op == Op::kSpawn) REQUIRE(now.spawned == then.spawned);
      }
    }
  }
}

TEST_CASE("a trace that is truncated, damaged or foreign is refused, wherever it is cut or changed") {
  const testing::Folder folder;
  const auto path = folder.path() / "t.hmtrace";
  write_random(path, 9, 3000, 256);
  const std::string whole = bytes_of(path);
  REQUIRE(read_all(whole).error.empty());
  CHECK(read_all("").error == "the file is empty");
  CHECK(read_all("#!/bin/sh\nexit 0\n").error == "the file is no heapmark trace");
  for (std::size_t kept = 1; kept < whole.size(); kept += 1 + kept / 8)
    CHECK(!read_all(whole.substr(0, kept)).error.empty());
  CHECK(!read_all(whole + "x").error.empty());
  for (std::size_t at = 0; at < whole.size(); at += at < sizeof(Header) ? 1 : 97) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 0x10);
    INFO(at);
    CHECK(!read_all(changed).error.empty());
  }
}

TEST_CASE("a trace whose writer was killed is told from one that is damaged") {
  const testing::Folder folder;
  const auto path = folder.path() / "t.hmtrace";
  TraceWriter writer(path, {});
  writer.request(0, 0, Op::kMalloc, 10);
  CHECK(!read_all(bytes_of(path)).error.empty());
}

TEST_CASE("an empty trace is a trace") {
  const testing::Folder folder;
  TraceWriter(folder.path() / "t", {}).finish(End::kKilled, {});
  const Read read = read_all(bytes_of(folder.path() / "t"));
  CHECK(read.error.empty());
  CHECK(read.header.events == 0);
  CHECK(read.header.threads == 1);
}

TEST_CASE("a thread that nobody spawned is spawned, and an ended one may not go on") {
  const testing::Folder folder;
  TraceWriter writer(folder.path() / "t", {});
  writer.request(1, 10, Op::kMalloc, 10);
  writer.end(1, 20);
  CHECK_THROWS_WITH(writer.request(1, 30, Op::kMalloc, 10), Contains("thread 1 has ended"));
  CHECK_THROWS_WITH(writer.request(3, 30, Op::kMalloc, 10), Contains("thread 3 comes before thread 2"));
  writer.finish(End::kExit, {});
  const Read read = read_all(bytes_of(folder.path() / "t"));
  CHECK(read.error.empty());
  REQUIRE(read.events.at(0).size() == 1);
  CHECK(read.events.at(0)[0].op == Op::kSpawn);
}

TEST_CASE("the example of the tests is a whole trace, and the same options make it again") {
  const testing::Folder folder;
  const Header header = write_example(folder.path() / "a");
  write_example(folder.path() / "b");
  const Read read = read_all(bytes_of(folder.path() / "a"));
  CHECK(read.error.empty());
  CHECK(read.header.threads == 4);
  CHECK(header.end_live_objects > 100);
  CHECK(header.refused_requests > 10);
  CHECK(bytes_of(folder.path() / "a") == bytes_of(folder.path() / "b"));
}

TEST_CASE("a place that cannot be written is named") {
  CHECK_THROWS_WITH(TraceWriter("/nowhere/t.hmtrace", {}), Contains("/nowhere/t.hmtrace"));
}

}  // namespace
}  // namespace heapmark::trace
