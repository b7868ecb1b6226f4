#include "workloads/trace/recorder/large_blocks.h"

#include <sys/mman.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <cerrno>
#include <map>
#include <memory>
#include <random>
#include <thread>
#include <vector>

namespace heapmark::recorder {
namespace {

constexpr std::size_t kPage = 4096;

TEST_CASE("a large block is known until it is taken, and no other address is") {
  const auto blocks = std::make_unique<LargeBlocks>();
  CHECK_FALSE(blocks->may_hold(0x7f0000001010));
  blocks->add(0x7f0000001010, 500'000);
  REQUIRE(blocks->may_hold(0x7f0000001010));
  CHECK(blocks->take(0x7f0000001020) == 0);  // of the same page
  CHECK(blocks->take(0x7f0000001010) == 500'000);
  CHECK(blocks->take(0x7f0000001010) == 0);
  CHECK_FALSE(blocks->may_hold(0x7f0000001010));
}

TEST_CASE("a block at the address of one that went past the recorder takes its place") {
  const auto blocks = std::make_unique<LargeBlocks>();
  blocks->add(0x1000, 500'000);
  blocks->add(0x1000, 700'000);
  CHECK(blocks->take(0x1000) == 700'000);
  CHECK(blocks->take(0x1000) == 0);
}

TEST_CASE("a thousand blocks at multiples of 4 MiB nearly all have a place, and all that have are told") {
  const auto blocks = std::make_unique<LargeBlocks>();
  for (std::uintptr_t number = 1; number <= 1000; ++number) blocks->add(number << 22, number);
  std::map<std::uintptr_t, std::size_t> seen;
  blocks->each(~std::size_t{0}, [&](std::uintptr_t address, std::size_t bytes, std::uint32_t& pages) {
    seen[address] = bytes;
    pages = 1;
    return std::size_t{1};
  });
  CHECK(seen.size() >= 950);
  // A hundred at a time, each has its turn.
  std::map<std::uintptr_t, std::size_t> turns;
  for (int turn = 0; turn < 10; ++turn)
    blocks->each(seen.size() / 10 + 10, [&](std::uintptr_t address, std::size_t, std::uint32_t& pages) {
      CHECK(pages == 1);
      ++turns[address];
      return std::size_t{1};
    });
  CHECK(turns.size() == seen.size());
  std::size_t known = 0;
  for (std::uintptr_t number = 1; number <= 1000; ++number) {
    const std::size_t bytes = blocks->take(number << 22);
    REQUIRE((bytes == 0 || bytes == number));
    REQUIRE((bytes != 0) == (seen.count(number << 22) == 1));
    known += bytes != 0 ? 1 : 0;
  }
  CHECK(known == seen.size());
}

TEST_CASE("a look ends where what was seen adds up to what was wished for, and goes on from there") {
  const auto blocks = std::make_unique<LargeBlocks>();
  for (std::uintptr_t number = 1; number <= 100; ++number) blocks->add(number << 22, 10);
  std::map<std::uintptr_t, int> turns;
  const auto look = [&](std::size_t most) {
    std::size_t seen = 0;
    blocks->each(most, [&](std::uintptr_t address, std::size_t bytes, std::uint32_t&) {
      ++turns[address];
      return seen += 1, bytes;
    });
    return seen;
  };
  for (int turn = 0; turn < 10; ++turn) {
    const std::size_t seen = look(100);  // a bucket is seen as a whole
    CHECK(seen >= 10);
    CHECK(seen <= 13);
  }
  CHECK(turns.size() >= 95);
}

TEST_CASE("of more blocks than there are places each is known or not, and the table empties again") {
  const auto blocks = std::make_unique<LargeBlocks>();
  std::mt19937_64 random(3);
  std::vector<std::uintptr_t> live;
  for (int step = 0; step < 100'000; ++step) {
    if (live.size() < 10'000 && random() % 3 != 0) {
      live.push_back((random() % (1 << 30) + 1) << 12);
      blocks->add(live.back(), live.back() + 1);
    } else if (!live.empty()) {
      std::swap(live[random() % live.size()], live.back());
      const std::size_t bytes = blocks->take(live.back());
      REQUIRE((bytes == 0 || bytes == live.back() + 1));
      live.pop_back();
    }
  }
  for (const std::uintptr_t address : live) blocks->take(address);
  std::size_t left = 0;
  blocks->each(~std::size_t{0}, [&](std::uintptr_t, std::size_t, std::uint32_t&) { return ++left; });
  CHECK(left == 0);
  for (const std::uintptr_t address : live) REQUIRE_FALSE(blocks->may_hold(address));
}

TEST_CASE("threads that add and take at once lose none of their own, while another looks at all") {
  const auto blocks = std::make_unique<LargeBlocks>();
  std::atomic<bool> done{false};
  std::atomic<std::uint64_t> wrong{0};
  std::thread looker([&] {
    while (!done)
      blocks->each(~std::size_t{0}, [&](std::uintptr_t address, std::size_t bytes, std::uint32_t&) {
        if (address == 0 || bytes == 0) ++wrong;
        return std::size_t{1};
      });
  });
  std::vector<std::thread> threads;
  for (std::uintptr_t number = 1; number <= 2; ++number)
    threads.emplace_back([&, number] {
      // One at a time of each thread: a bucket has room for them.
      for (std::uintptr_t step = 1; step <= 50'000; ++step) {
        const std::uintptr_t address = (number << 40) + (step % 300 << 12);
        blocks->add(address, step);
        if (const std::size_t bytes = blocks->take(address); bytes != step) ++wrong;
      }
    });
  for (std::thread& thread : threads) thread.join();
  done = true;
  looker.join();
  CHECK(wrong == 0);
}

TEST_CASE("pages that have memory are counted, wherever they lie in the block") {
  constexpr std::size_t kPages = 5000;
  auto* const map = static_cast<char*>(
      ::mmap(nullptr, kPages * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  REQUIRE(map != MAP_FAILED);
  ::madvise(map, kPages * kPage, MADV_NOHUGEPAGE);
  const auto begin = reinterpret_cast<std::uintptr_t>(map);
  std::uint64_t pages = 99;
  REQUIRE(pages_with_memory(begin, kPages * kPage, pages));
  CHECK(pages == 0);
  for (const std::size_t page : {0U, 1U, 1023U, 1024U, 4999U}) map[page * kPage] = 1;
  REQUIRE(pages_with_memory(begin, kPages * kPage, pages));
  CHECK(pages == 5);
  // Not more than its size takes, though both pages that it lies in have memory.
  REQUIRE(pages_with_memory(begin + 16, kPage, pages));
  CHECK(pages == 1);
  REQUIRE(pages_with_memory(begin + 1023 * kPage + 100, 200'000, pages));
  CHECK(pages == 2);
  ::munmap(map, kPages * kPage);
  CHECK_FALSE(pages_with_memory(begin, kPages * kPage, pages));
}

}  // namespace
}  // namespace heapmark::recorder
