#include "harness/ledger/address_ranges.h"

#include <catch2/catch.hpp>
#include <random>
#include <vector>

using heapmark::ledger::AddressRanges;
using heapmark::ledger::bytes_of;

TEST_CASE("adding and removing ranges, worked by hand") {
  AddressRanges ranges;
  CHECK(ranges.add(100, 200) == 100);
  CHECK(ranges.add(150, 250) == 50);  // half of it was there
  CHECK(ranges.add(250, 300) == 50);  // touches
  CHECK(ranges.total() == 200);
  CHECK(bytes_of(ranges.remove(120, 140)) == 20);
  CHECK(ranges.remove(0, 1000) == std::vector<AddressRanges::Range>{{100, 120}, {140, 300}});
  CHECK(ranges.total() == 0);
  CHECK(ranges.add(10, 10) == 0);
  CHECK(ranges.remove(10, 20).empty());
}

TEST_CASE("random steps agree with a table of single pages") {
  constexpr std::uint64_t kPages = 200;
  std::mt19937 random(1);
  AddressRanges ranges;
  std::vector<bool> held(kPages);
  for (int step = 0; step < 20'000; ++step) {
    const std::uint64_t from = random() % kPages, to = from + random() % (kPages - from + 1);
    const bool adds = random() % 2 == 0;
    std::uint64_t changed = 0, there = 0;
    for (std::uint64_t page = from; page < to; ++page) {
      there += held[page];
      changed += held[page] != adds;
    }
    REQUIRE(ranges.overlap(from, to) == there);
    REQUIRE((adds ? ranges.add(from, to) : bytes_of(ranges.remove(from, to))) == changed);
    for (std::uint64_t page = from; page < to; ++page) held[page] = adds;
    std::uint64_t total = 0;
    for (const bool page : held) total += page;
    REQUIRE(ranges.total() == total);
  }
}
