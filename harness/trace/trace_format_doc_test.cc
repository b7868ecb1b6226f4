// docs/trace-format.md shows the bytes of a trace: those that the writer makes. And a trace as version 1 of
// the format was written is read.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <sstream>

#include "harness/trace/trace_walk.h"
#include "harness/trace/trace_writer.h"
#include "testing/folder.h"

namespace heapmark::trace {
namespace {

// The bytes of each block of the page between fences whose lines begin with bytes in hexadecimal.
std::vector<std::string> blocks_of_bytes(const std::string& page) {
  std::vector<std::string> blocks;
  std::istringstream lines(page);
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("```")) {
      inside = !inside;
      if (inside) blocks.emplace_back();
      continue;
    }
    if (!inside) continue;
    if (const std::size_t colon = line.find(": "); colon == 8) line.erase(0, colon + 2);
    std::istringstream words(line);
    for (std::string word; words >> word && word.size() == 2 &&
                           word.find_first_not_of("0123456789abcdef") == std::string::npos;)
      blocks.back().push_back(static_cast<char>(std::stoi(word, nullptr, 16)));
  }
  return blocks;
}

// The page's example as it was when there was version 1 only: the aligned request is of 300 bytes.
constexpr const char* kVersion1 =
    "484d5452414345000403020101000000f000000000000000580100000000000023010000000000003500000000000000"
    "4e000000000000000e000000000000000100000000000000020000000000000002000000000000000700000000000000"
    "0300000000000000640000000000000000007ca196027c18920100000000000067120000000000000200000000000000"
    "200300000000000000000000000000000000000000000000070000000000000003000000000000002600000000000000"
    "33000000000000000000000000000000000000000000000000000000000000000000000000000000466389b62d45231e"
    "28b52ffd24263101000200030403020107840a0a980264f403010001040503030305050819f702010106ac0201010017"
    "e74be528b52ffd244e450100c0f0003326079201002003636f6d6d616e64092e2f6170700a06002b03c6fd01f940662b"
    "590c000b15d7db2d";

TEST_CASE("a trace of version 1 is read as it was written") {
  std::string bytes;
  for (const char* at = kVersion1; *at != '\0'; at += 2)
    bytes.push_back(static_cast<char>(std::stoi(std::string(at, 2), nullptr, 16)));
  TraceReading reading(bytes, "version 1");
  CHECK(reading.header().version == 1);
  CHECK(reading.text("command") == "./app");
  std::vector<std::uint64_t> sizes;
  TraceWalk walk(reading);
  while (walk.next())
    if (yields(walk.event().op)) {
      sizes.push_back(walk.event().size);
      CHECK(walk.event().written_pages == kNotTold);
    }
  CHECK(sizes == std::vector<std::uint64_t>{100, 300, 500});
}

TEST_CASE("the example of docs/trace-format.md is what the writer makes") {
  const testing::Folder folder;
  const auto path = folder.path() / "t";
  WriterOptions options;
  options.start_unix_ns = 1'764'288'000'000'000'000;
  options.pid = 4711;
  options.text = {{"command", "./app"}};
  TraceWriter writer(path, options);
  const LiveObject a = writer.request(0, 1000, Op::kMalloc, 100);
  writer.spawn(0, 2000, 1);
  const LiveObject b = writer.request(1, 2500, Op::kAligned, 300'000, 6, 3);
  const LiveObject c = writer.resize(0, 30'000, a, 500, false);
  writer.free(1, 40'000, c);
  writer.free(1, 40'100, b);
  writer.end(1, 40'200);
  writer.finish(End::kExit, {});

  const auto blocks = blocks_of_bytes(
      testing::contents(std::string(std::getenv("HEAPMARK_SOURCE_DIR")) + "/docs/trace-format.md"));
  REQUIRE(blocks.size() >= 2);
  const std::string &shown = blocks[blocks.size() - 2], &shown_segment = blocks.back();
  CHECK(shown == testing::contents(path));

  // The segment does not depend on libzstd's version.
  TraceFile file;
  const std::string made = testing::contents(path);
  REQUIRE(file.open(made.data(), made.size()) == nullptr);
  std::vector<std::uint64_t> workspace(TraceFile::workspace_bytes() / 8 + 1),
      index(file.header().index_raw_bytes / 8 + 1);
  REQUIRE(file.read_index(index.data(), workspace.data()) == nullptr);
  std::string segment(file.header().max_segment_raw_bytes, '\0');
  REQUIRE(file.read_segment(0, segment.data(), workspace.data()) == nullptr);
  CHECK(segment == shown_segment);
}

}  // namespace
}  // namespace heapmark::trace
