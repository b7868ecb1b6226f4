// docs/trace-format.md shows the bytes of a trace: those that the writer makes.
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
  const LiveObject b = writer.request(1, 2500, Op::kAligned, 300, 6);
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
