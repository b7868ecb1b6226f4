#include "harness/trace/trace_writer.h"

#include <zstd.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <random>

#include "harness/trace/example_trace.h"
#include "testing/folder.h"
#include "testing/trace_events.h"
#include "workloads/contract/trace/reader.h"

using Catch::Contains;

namespace heapmark::trace {
namespace {

using testing::read_trace;
using testing::read_trace_bytes;
using testing::TraceEvents;

// Writes random events of several threads and keeps what each thread did.
std::map<std::uint32_t, std::vector<Event>> write_random(const std::filesystem::path& path, unsigned seed,
                                                         std::uint64_t events, std::uint64_t segment_events,
                                                         bool tells_written = true) {
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
    const bool told = tells_written && random() % 4 == 0;
    const std::uint32_t pages = told ? static_cast<std::uint32_t>(random() % (pages_of(size) + 1)) : kNotTold;
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
        live.push_back(writer.request(thread, time, event.op, size, 0, pages));
        event.written_pages = pages;
        event.gives = live.back().name;
        break;
      case 2:
        event.op = Op::kAligned;
        event.log2_alignment = 12;
        live.push_back(writer.request(thread, time, event.op, size, 12, pages));
        event.written_pages = pages;
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
          live.push_back(writer.resize(thread, time, old, size, event.moved, pages));
          event.written_pages = pages;
          event.gives = live.back().name;
        }
        break;
      default:
        if (live.empty()) continue;
        if (live.back().written_pages != kNotTold && random() % 2 == 0) {
          event.op = Op::kWrite;
          event.size = 0;
          event.written_pages = static_cast<std::uint32_t>(random() % (pages_of(live.back().bytes) + 1));
          event.takes = live.back().name;
          writer.write(thread, time, live.back(), event.written_pages);
          break;
        }
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
    const TraceEvents read = read_trace(path);
    REQUIRE(read.error.empty());
    CHECK(read.header.unknown_frees == 4);
    CHECK(read.header.max_live_threads == 3);
    CHECK(read.text == "command\ta b\nallocator\tglibc\n");
    REQUIRE(read.of_thread.size() == expected.size());
    for (const auto& [thread, events] : expected) {
      REQUIRE(read.of_thread.at(thread).size() == events.size());
      for (std::size_t at = 0; at < events.size(); ++at) {
        const Event &now = read.of_thread.at(thread)[at], &then = events[at];
        REQUIRE(now.op == then.op);
        REQUIRE(now.tick == then.tick);
        REQUIRE(now.moved == then.moved);
        if (has_size(then.op)) REQUIRE(now.size == then.size);
        if (yields(then.op)) REQUIRE(now.gives == then.gives);
        REQUIRE(now.written_pages == then.written_pages);
        if (refers(then.op)) REQUIRE(now.takes == then.takes);
        if (then.op == Op::kAligned) REQUIRE(now.log2_alignment == then.log2_alignment);
        if (then.op == Op::kSpawn) REQUIRE(now.spawned == then.spawned);
      }
    }
  }
}

TEST_CASE("a trace has the oldest version that can hold it") {
  const testing::Folder folder;
  const auto path = folder.path() / "t";
  write_random(path, 5, 300, 256, false);
  CHECK(read_trace(path).header.version == 1);
  write_random(path, 5, 300, 256, true);
  CHECK(read_trace(path).header.version == 2);
}

// A trace of one request, with its op and the bytes of its sizes changed.
std::string read_error(std::uint32_t version, unsigned char op, const std::string& sizes) {
  const std::string raw = std::string("\1\0\1\1", 4) + static_cast<char>(sizes.size()) + '\0' +
                          static_cast<char>(op) + '\0' + sizes;
  std::string frame(ZSTD_compressBound(raw.size()), '\0');
  frame.resize(ZSTD_compress(frame.data(), frame.size(), raw.data(), raw.size(), 1));
  const SegmentEntry entry{sizeof(Header), frame.size(), raw.size(), 1, 0, 1, 0, 0};
  std::string index(ZSTD_compressBound(sizeof entry), '\0');
  index.resize(ZSTD_compress(index.data(), index.size(), &entry, sizeof entry, 1));
  Header header{};
  std::memcpy(header.magic, kMagic, sizeof(kMagic));
  header.byte_order = kByteOrder;
  header.version = version;
  header.header_bytes = sizeof(Header);
  header.threads = header.max_live_threads = header.tick_ns = header.segments = header.events = 1;
  header.max_live_objects = header.end_live_objects = header.objects = 1;
  header.max_segment_events = header.max_segment_objects = 1;
  header.max_segment_raw_bytes = raw.size();
  header.max_segment_bytes = frame.size();
  header.index_offset = sizeof(Header) + frame.size();
  header.index_bytes = index.size();
  header.index_raw_bytes = sizeof entry;
  header.file_bytes = header.index_offset + index.size();
  header.checksum = fnv1a(&header, offsetof(Header, checksum));
  return read_trace_bytes(std::string(reinterpret_cast<const char*>(&header), sizeof header) + frame + index)
      .error;
}

TEST_CASE("pages are taken from version 2 on, of what yields, and no more than the block has") {
  const unsigned char request = 1 | kWritten;
  CHECK(read_error(1, 1, "\x7f").empty());
  CHECK(read_error(2, 1, "\x7f").empty());
  CHECK(read_error(2, request, "\x7f\1").empty());
  CHECK(read_error(2, request, std::string("\x7f\0", 2)).empty());
  CHECK(read_error(2, request, std::string("\0\0", 2)).empty());
  for (const std::string& wrong :
       {read_error(1, request, "\x7f\1"), read_error(2, request, "\x7f\2"), read_error(2, request, "\x7f"),
        read_error(2, request, std::string("\0\1", 2)), read_error(2, 6 | kWritten, "\x7f\1"),
        read_error(1, 9, "\1"), read_error(2, 9, "\1"), read_error(2, 10, "\1"),
        // 2^32 - 1 pages of 2^62 bytes.
        read_error(2, request, "\x80\x80\x80\x80\x80\x80\x80\x80\x40\xff\xff\xff\xff\x0f"),
        read_error(3, 1, "\x7f")})
    CHECK_THAT(wrong, Contains("damaged") || Contains("another version"));
}

TEST_CASE("more pages than a block has are not written") {
  const testing::Folder folder;
  TraceWriter writer(folder.path() / "t", {});
  writer.request(0, 10, Op::kMalloc, 4097, 0, 2);
  CHECK_THROWS_WITH(writer.request(0, 10, Op::kMalloc, 4097, 0, 3),
                    Contains("3 pages of a block of 4097 bytes"));
  LiveObject told = writer.request(0, 10, Op::kMalloc, 4097, 0, 0),
             untold = writer.request(0, 10, Op::kMalloc, 4097);
  CHECK_NOTHROW(writer.write(0, 10, told, 2));
  CHECK_THROWS_WITH(writer.write(0, 10, told, 3), Contains("3 pages of an object of 4097 bytes"));
  CHECK_THROWS_WITH(writer.write(0, 10, untold, 1), Contains("told of none"));
}

TEST_CASE("a trace that is truncated, damaged or foreign is refused, wherever it is cut or changed") {
  const testing::Folder folder;
  const auto path = folder.path() / "t.hmtrace";
  write_random(path, 9, 3000, 256);
  const std::string whole = testing::contents(path);
  REQUIRE(read_trace_bytes(whole).error.empty());
  CHECK(read_trace_bytes("").error == "the file is empty");
  CHECK(read_trace_bytes("#!/bin/sh\nexit 0\n").error == "the file is no heapmark trace");
  for (std::size_t kept = 1; kept < whole.size(); kept += 1 + kept / 8)
    CHECK(!read_trace_bytes(whole.substr(0, kept)).error.empty());
  CHECK(!read_trace_bytes(whole + "x").error.empty());
  for (std::size_t at = 0; at < whole.size(); at += at < sizeof(Header) ? 1 : 97) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 0x10);
    INFO(at);
    CHECK(!read_trace_bytes(changed).error.empty());
  }
}

TEST_CASE("a trace whose writer was killed is told from one that is damaged") {
  const testing::Folder folder;
  const auto path = folder.path() / "t.hmtrace";
  TraceWriter writer(path, {});
  writer.request(0, 0, Op::kMalloc, 10);
  CHECK(!read_trace(path).error.empty());
}

TEST_CASE("an empty trace is a trace") {
  const testing::Folder folder;
  TraceWriter(folder.path() / "t", {}).finish(End::kKilled, {});
  const TraceEvents read = read_trace(folder.path() / "t");
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
  const TraceEvents read = read_trace(folder.path() / "t");
  CHECK(read.error.empty());
  REQUIRE(read.of_thread.at(0).size() == 1);
  CHECK(read.of_thread.at(0)[0].op == Op::kSpawn);
}

TEST_CASE("the example of the tests is a whole trace, and the same options make it again") {
  const testing::Folder folder;
  const Header header = write_example(folder.path() / "a");
  write_example(folder.path() / "b");
  const TraceEvents read = read_trace((folder.path() / "a"));
  CHECK(read.error.empty());
  CHECK(read.header.threads == 4);
  CHECK(header.end_live_objects > 100);
  CHECK(header.refused_requests > 10);
  CHECK(testing::contents(folder.path() / "a") == testing::contents(folder.path() / "b"));
}

TEST_CASE("a place that cannot be written is named") {
  CHECK_THROWS_WITH(TraceWriter("/nowhere/t.hmtrace", {}), Contains("/nowhere/t.hmtrace"));
}

}  // namespace
}  // namespace heapmark::trace
