#include "harness/view/tutorial_story.h"

#include <catch2/catch.hpp>
#include <sstream>

#include "harness/view/text_table.h"

using namespace heapmark;
using namespace heapmark::view;
using Catch::Contains;

namespace {

record::Record told() {
  record::Record record;
  record.spec.allocator = "glibc";
  record.result.outcome = trial::Outcome::kOk;
  trial::Table& steps = record.result.tables["steps"];
  steps.columns = {"block",        "block_bytes", "address_offset", "place",        "touched",
                   "break_offset", "rss_bytes",   "virtual_bytes",  "minor_faults", "major_faults"};
  constexpr double kKiB = 1024;
  steps.rows = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
                {1, 30 * kKiB, 0, 1, 1, 132 * kKiB, 32 * kKiB, 132 * kKiB, 8, 0},
                {2, 200 * kKiB, 0, 2, 1, 132 * kKiB, 232 * kKiB, 336 * kKiB, 58, 0}};
  steps.texts = {"the process has started and nothing has been asked for yet",
                 "ask for A of 30 KiB and touch it",
                 "ask for B of 200 KiB, which is over the mmap threshold, and touch it"};
  trial::Table& claims = record.result.tables["claims"];
  claims.columns = {"claim", "holds"};
  claims.rows = {{1, 1}, {2, 0}};
  claims.texts = {"small blocks come from the heap that the program break bounds",
                  "a block over the threshold is a mapping of its own"};
  return record;
}

std::size_t widest_line(const std::string& text) {
  std::size_t widest = 0;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) widest = std::max(widest, display_width(line));
  return widest;
}

}  // namespace

TEST_CASE("the tutorial's story keeps within the width of the terminal") {
  for (const std::size_t width : {40U, 60U, 80U, 120U}) {
    const std::string story = tutorial_story(told(), width, false);
    CAPTURE(width, story);
    CHECK(widest_line(story) <= width);
    CHECK_THAT(story, Contains("mapped: B 200 KiB") && Contains("holds") && Contains("fails"));
  }
}

TEST_CASE("colour changes no column of the claims") {
  const std::string plain = tutorial_story(told(), 80, false);
  std::string coloured = tutorial_story(told(), 80, true);
  for (std::size_t at; (at = coloured.find('\033')) != std::string::npos;)
    coloured.erase(at, coloured.find('m', at) - at + 1);
  CHECK(coloured == plain);
}
