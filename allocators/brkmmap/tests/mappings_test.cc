// Mappings that are kept and put together, over the fake kernel: what a block holds stays as it was written,
// whatever happens to others, and no more is kept than the policy allows.
#include <algorithm>
#include <catch2/catch.hpp>
#include <memory>
#include <random>
#include <vector>

#include "allocators/brkmmap/heap.h"
#include "allocators/brkmmap/tests/fake_os.h"

using namespace brkmmap;

namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

struct Block {
  std::uint64_t* memory;
  std::size_t pages;
  std::uint64_t mark;
};

struct Play {
  std::unique_ptr<PageMap> map = std::make_unique<PageMap>();
  std::unique_ptr<Heap> heap = std::make_unique<Heap>(*map);
  std::vector<Block> blocks;
  std::uint64_t marks = 0;
  std::size_t refused = 0;
  std::size_t fresh_pages = 0;  // never written before

  std::uint64_t kept() const { return heap->kernel.retained.kept_bytes; }

  // Every page of the block holds the block's mark at both ends.
  void write(const Block& block) const {
    for (std::size_t page = 0; page < block.pages; ++page)
      block.memory[page * 512] = block.memory[page * 512 + 511] = block.mark + page;
  }
  void verify(const Block& block, std::size_t pages) const {
    for (std::size_t page = 0; page < pages; ++page)
      if (block.memory[page * 512] != block.mark + page ||
          block.memory[page * 512 + 511] != block.mark + page)
        FAIL("page " << page << " of " << block.pages << " was changed");
  }
  void ask(std::size_t pages) {
    std::size_t dirty_bytes = 0;
    void* memory = heap->mappings.allocate(pages, kPageSize, &dirty_bytes);
    if (memory == nullptr) {
      ++refused;
      return;
    }
    const Block block{static_cast<std::uint64_t*>(memory), pages, ++marks << 32};
    for (std::size_t page = dirty_bytes / kPageSize; page < pages; ++page)
      if (block.memory[page * 512] != 0) FAIL("said to be zero, and is not");
    for (std::size_t page = 0; page < pages; ++page) fresh_pages += block.memory[page * 512] == 0 ? 1 : 0;
    write(block);
    blocks.push_back(block);
  }
  Span* span_of(const Block& block) const {
    return map->get(reinterpret_cast<std::uintptr_t>(block.memory)).span();
  }
  void free(std::size_t at) {
    verify(blocks[at], blocks[at].pages);
    heap->mappings.free(span_of(blocks[at]));
    blocks[at] = blocks.back();
    blocks.pop_back();
  }
  // Where it cannot be done, the block is as it was.
  void resize(std::size_t at, std::size_t pages) {
    Block& block = blocks[at];
    void* const memory = heap->mappings.resize(span_of(block), pages);
    if (memory == nullptr) return verify(block, block.pages);
    block.memory = static_cast<std::uint64_t*>(memory);
    verify(block, std::min(pages, block.pages));
    for (std::size_t page = block.pages; page < pages; ++page)
      fresh_pages += block.memory[page * 512] == 0 ? 1 : 0;
    block.pages = pages;
    write(block);
  }
  // What the kernel's ledger says is mapped is what blocks, tables and kept mappings take.
  void check_sums() const {
    std::size_t live = 0;
    for (const Block& block : blocks) live += block.pages * kPageSize;
    CHECK(heap->mappings.bytes() == live);
    CHECK(heap->mappings.count() == blocks.size());
    CHECK(heap->kernel.mapped_bytes - heap->kernel.metadata_bytes - heap->pages.free_bytes() - kept() ==
          live);
  }
};

}  // namespace

TEST_CASE(
    "buffers replaced at random get the pages of those freed, put together, and all goes when they end") {
  fake::reset();
  Play play;
  std::mt19937_64 random(5);
  std::size_t asked = 0;
  for (int round = 0; round < 60; ++round) {
    if (round == 30) asked = play.fresh_pages = 0;
    while (play.heap->mappings.bytes() < 60 * kMiB) {
      play.ask(500 + random() % 1000);
      asked += play.blocks.back().pages;
    }
    while (play.heap->mappings.bytes() > 50 * kMiB) play.free(random() % play.blocks.size());
    CHECK(play.kept() <= play.heap->mappings.bytes() / 100 * 40);
    play.check_sums();
  }
  CHECK(play.heap->kernel.remaps.calls > 10);
  CHECK(asked > 50'000);
  CHECK(play.fresh_pages < asked / 10);
  while (!play.blocks.empty()) play.free(0);
  CHECK(play.kept() <= kLeastSlack);
  play.heap->mappings.clear();
  CHECK(play.kept() == 0);
  play.check_sums();
}

TEST_CASE(
    "what was freed once and is not asked for again goes back at once, and always with fixed thresholds") {
  fake::reset();
  Play play;
  for (int dynamic = 1; dynamic >= 0; --dynamic) {
    play.heap->tunables.dynamic.set(static_cast<std::uint64_t>(dynamic));
    play.ask(10'000);
    for (int round = 0; round < (dynamic != 0 ? 1 : 20); ++round) {
      play.ask(50);
      play.free(1);
      CHECK(play.kept() == 0);
    }
    play.free(0);
    CHECK(play.kept() == 0);
  }
}

TEST_CASE("a block that grows and shrinks takes up kept pages, wherever it goes") {
  fake::reset();
  Play play;
  std::mt19937_64 random(9);
  for (int step = 0; step < 400; ++step) {
    if (play.blocks.size() < 6)
      play.ask(40 + random() % 900);
    else if (random() % 3 == 0)
      play.free(random() % play.blocks.size());
    else
      play.resize(random() % play.blocks.size(), 40 + random() % 2000);
    play.check_sums();
  }
  // A buffer that doubles again and again, and is freed: in the end it stands on pages that were there.
  for (int round = 0; round < 8; ++round) {
    if (round == 4) play.fresh_pages = 0;
    play.ask(40);
    for (std::size_t pages = 80; pages < 1500; pages *= 2) play.resize(play.blocks.size() - 1, pages);
    play.free(play.blocks.size() - 1);
    play.check_sums();
  }
  CHECK(play.fresh_pages < 4 * 1280 / 20);
}

TEST_CASE("mappings survive the failure of any one kernel call while pieces are put together") {
  for (std::size_t call = 1; call <= 200; call += call < 60 ? 1 : 7) {
    fake::reset();
    Play play;
    std::mt19937_64 random(call);
    for (int step = 0; step < 60; ++step) {
      if (step == 20) fake::fail_at(call);
      if (play.blocks.size() < 5 || (play.blocks.size() < 9 && random() % 2 == 0))
        play.ask(16 + random() % 900);
      else if (random() % 8 == 0)
        play.resize(random() % play.blocks.size(), 16 + random() % 1500);
      else
        play.free(random() % play.blocks.size());
    }
    CAPTURE(call);
    CHECK(play.refused <= 1);
    while (!play.blocks.empty()) play.free(0);
    play.heap->mappings.clear();
    CHECK(play.kept() == 0);
  }
}
