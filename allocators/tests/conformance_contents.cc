// What blocks hold: realloc keeps it, calloc zeroes it, neighbours leave it alone (C17 7.22.3; malloc(3);
// malloc_usable_size(3)). Where blocks lie is conformance_alignment.
#include <malloc.h>

#include <cerrno>
#include <random>
#include <vector>

#include "allocators/tests/check.h"

using namespace heapmark::conformance;

namespace {

constexpr std::size_t kMostBytes = std::size_t{8} << 20;
constexpr std::size_t kTooMany[] = {std::size_t{PTRDIFF_MAX}, std::size_t{PTRDIFF_MAX} + 1, SIZE_MAX - 4095,
                                    SIZE_MAX - 15, SIZE_MAX};

// 1 B to 8 MiB: every power of two with its neighbours, and what lies half-way to the next.
std::vector<std::size_t> sizes_of_all_ranges() {
  std::vector<std::size_t> sizes;
  for (std::size_t power = 1; power <= kMostBytes; power *= 2)
    for (const std::size_t size : {power - 1, power, power + 1, power + power / 2})
      if (size > 0 && size <= kMostBytes && (sizes.empty() || size > sizes.back())) sizes.push_back(size);
  return sizes;
}

// A byte that depends on its place and on the block, so that a shifted or a foreign copy is seen.
unsigned char byte_at(std::size_t place, std::size_t block) {
  return static_cast<unsigned char>((place * 31 + (place >> 8) * 7 + block * 101) % 251);
}

void write_pattern(unsigned char* block, std::size_t from, std::size_t to, std::size_t number) {
  for (std::size_t place = from; place < to; ++place) block[place] = byte_at(place, number);
}

bool has_pattern(const unsigned char* block, std::size_t bytes, std::size_t number) {
  for (std::size_t place = 0; place < bytes; ++place)
    if (block[place] != byte_at(place, number)) return false;
  return true;
}

// Compares the ends and a sample where the block is large: what a move by mremap or memcpy could lose.
bool has_sampled_pattern(const unsigned char* block, std::size_t bytes, std::size_t number) {
  const std::size_t step = bytes < 40'000 ? 1 : 509;
  for (std::size_t place = 0; place < bytes; place += step)
    if (block[place] != byte_at(place, number)) return false;
  for (std::size_t back = 1; back <= 64 && back <= bytes; ++back)
    if (block[bytes - back] != byte_at(bytes - back, number)) return false;
  return true;
}

unsigned char* asked(std::size_t bytes) {
  return static_cast<unsigned char*>(hidden(std::malloc(bytes)));
}

// Each size filled whole, as far as malloc_usable_size says, by `count` blocks that lie beside each other.
std::string whole_blocks_leave_neighbours_alone(std::size_t alignment) {
  for (const std::size_t size : sizes_of_all_ranges()) {
    const std::size_t count = size < 70'000 ? 24 : 3;
    std::vector<unsigned char*> blocks(count);
    for (std::size_t at = 0; at < count; ++at) {
      void* block = hidden(alignment == 0 ? std::malloc(size) : std::aligned_alloc(alignment, size));
      EXPECT(block != nullptr);
      blocks[at] = static_cast<unsigned char*>(block);
      EXPECT(malloc_usable_size(block) >= size);
      fill(block, malloc_usable_size(block), static_cast<unsigned char>(at + 1));
    }
    for (std::size_t at = 0; at < count; at += 2) std::free(blocks[at]);
    for (std::size_t at = 1; at < count; at += 2) {
      const auto tag = static_cast<unsigned char>(at + 1);
      EXPECT(holds(blocks[at], malloc_usable_size(blocks[at]), tag));
      const std::size_t usable = malloc_usable_size(blocks[at]);
      blocks[at] = static_cast<unsigned char*>(hidden(std::realloc(blocks[at], usable + size)));
      EXPECT(blocks[at] != nullptr && holds(blocks[at], usable, tag));
      fill(blocks[at], malloc_usable_size(blocks[at]), tag);
    }
    for (std::size_t at = 1; at < count; at += 2) {
      EXPECT(holds(blocks[at], malloc_usable_size(blocks[at]), static_cast<unsigned char>(at + 1)));
      std::free(blocks[at]);
    }
  }
  return "";
}

// Blocks of many sizes, dirtied and freed, `between` called, then asked for zeroed.
template <typename Between>
std::string dirty_then_zeroed(Between between) {
  for (const std::size_t size :
       {std::size_t{16}, std::size_t{100}, std::size_t{1000}, std::size_t{4096}, std::size_t{15'000},
        std::size_t{60'000}, std::size_t{140'000}, std::size_t{1} << 20, std::size_t{4} << 20}) {
    const std::size_t count = size < 20'000 ? 400 : 8;
    std::vector<void*> blocks(count);
    for (void*& block : blocks) {
      block = hidden(std::malloc(size));
      fill(block, malloc_usable_size(block), 0xA5);
    }
    for (void* block : blocks) std::free(block);
    between();
    // Other sizes than those freed, so that blocks cut from larger ones are seen too.
    for (const std::size_t then : {size, size / 3 + 1, size * 2}) {
      for (void*& block : blocks) {
        block = hidden(std::calloc(then, 1));
        EXPECT(block != nullptr && holds(block, then, 0));
        fill(block, then, 0x5A);
      }
      for (void* block : blocks) std::free(block);
      between();
    }
  }
  return "";
}

}  // namespace

MALLOC_CHECK(realloc_from_every_range_to_every_other_keeps_contents) {
  const std::size_t sizes[] = {1,       7,       16,      33,      100,       250,    1000,
                               1500,    4095,    9000,    16385,   33000,     70'000, 131'073,
                               200'000, 600'000, 1 << 20, 3 << 20, kMostBytes};
  std::size_t number = 0;
  for (const std::size_t from : sizes)
    for (const std::size_t to : sizes) {
      unsigned char* block = asked(from);
      EXPECT(block != nullptr);
      write_pattern(block, 0, from, ++number);
      block = static_cast<unsigned char*>(hidden(std::realloc(block, to)));
      EXPECT(block != nullptr && has_sampled_pattern(block, from < to ? from : to, number));
      std::free(block);
    }
  return "";
}

MALLOC_CHECK(realloc_step_by_step_up_and_down_keeps_contents) {
  const std::vector<std::size_t> sizes = sizes_of_all_ranges();
  unsigned char* block = asked(1);
  std::size_t held = 1;
  write_pattern(block, 0, 1, 1);
  for (const std::size_t size : sizes) {
    block = static_cast<unsigned char*>(hidden(std::realloc(block, size)));
    EXPECT(block != nullptr && has_sampled_pattern(block, held < size ? held : size, 1));
    if (size > held) write_pattern(block, held, size, 1);
    held = size;
  }
  EXPECT(has_pattern(block, held, 1));
  for (auto size = sizes.rbegin(); size != sizes.rend(); ++size) {
    block = static_cast<unsigned char*>(hidden(std::realloc(block, *size)));
    EXPECT(block != nullptr && has_sampled_pattern(block, *size, 1));
  }
  std::free(block);
  return "";
}

MALLOC_CHECK(realloc_that_must_move_keeps_contents) {
  std::mt19937_64 random(11);
  constexpr std::size_t kBlocks = 40;
  struct Held {
    unsigned char* block = nullptr;
    std::size_t bytes = 0;
  };
  // All grow in turn, so that each is hemmed in by the next, then shrink at random.
  std::vector<Held> all(kBlocks);
  for (std::size_t at = 0; at < kBlocks; ++at) {
    all[at] = {asked(10), 10};
    write_pattern(all[at].block, 0, 10, at);
  }
  for (int round = 0; round < 60; ++round)
    for (std::size_t at = 0; at < kBlocks; ++at) {
      Held& held = all[at];
      const std::size_t most = round < 30 ? 2 * held.bytes + 1 : std::size_t{1} << random() % 19;
      const std::size_t bytes = most < 400'000 ? most : 400'000;
      held.block = static_cast<unsigned char*>(hidden(std::realloc(held.block, bytes)));
      EXPECT(held.block != nullptr);
      EXPECT(has_sampled_pattern(held.block, bytes < held.bytes ? bytes : held.bytes, at));
      if (bytes > held.bytes) write_pattern(held.block, held.bytes, bytes, at);
      held.bytes = bytes;
    }
  for (const Held& held : all) std::free(held.block);
  return "";
}

MALLOC_CHECK(reallocarray_multiplies_and_keeps_contents) {
  auto* block = static_cast<unsigned char*>(hidden(reallocarray(nullptr, 100, 7)));
  EXPECT(block != nullptr && malloc_usable_size(block) >= 700);
  write_pattern(block, 0, 700, 3);
  block = static_cast<unsigned char*>(hidden(reallocarray(block, 1000, 300)));
  EXPECT(block != nullptr && malloc_usable_size(block) >= 300'000 && has_pattern(block, 700, 3));
  for (const std::size_t count : {SIZE_MAX / 2, SIZE_MAX / 300 + 1, SIZE_MAX, std::size_t{1} << 62}) {
    errno = 0;
    EXPECT(hidden(reallocarray(block, hidden(count), 300)) == nullptr && errno == ENOMEM);
    EXPECT(has_pattern(block, 700, 3));
  }
  std::free(block);
  return "";
}

MALLOC_CHECK(a_refused_realloc_keeps_the_old_block_of_every_size) {
  for (const std::size_t bytes : sizes_of_all_ranges()) {
    unsigned char* block = asked(bytes);
    EXPECT(block != nullptr);
    fill(block, bytes, 0x4B);
    for (const std::size_t most : kTooMany) {
      errno = 0;
      if (hidden(std::realloc(block, hidden(most))) != nullptr || errno != ENOMEM)
        return "realloc from " + std::to_string(bytes) + " to " + std::to_string(most) + " bytes: errno " +
               std::to_string(errno);
    }
    EXPECT(holds(block, bytes, 0x4B) && malloc_usable_size(block) >= bytes);
    std::free(block);
  }
  return "";
}

MALLOC_CHECK(calloc_refuses_products_that_overflow) {
  for (int shift = 1; shift < 64; ++shift) {
    const std::size_t count = std::size_t{1} << shift, bytes = std::size_t{1} << (64 - shift);
    for (const std::size_t more : {std::size_t{0}, std::size_t{1}, std::size_t{16}}) {
      errno = 0;
      void* block = hidden(std::calloc(hidden(count + more), hidden(bytes)));
      if (block != nullptr || errno != ENOMEM)
        return "calloc of " + std::to_string(count + more) + " times " + std::to_string(bytes) +
               (block == nullptr ? ": null" : ": a block") + ", errno " + std::to_string(errno);
    }
  }
  errno = 0;
  EXPECT(hidden(std::calloc(1, hidden(std::size_t{PTRDIFF_MAX}))) == nullptr && errno == ENOMEM);
  std::free(hidden(std::calloc(0, hidden(SIZE_MAX))));
  std::free(hidden(std::calloc(hidden(SIZE_MAX), 0)));
  return "";
}

MALLOC_CHECK(calloc_is_zero_in_every_size_after_reuse) {
  return dirty_then_zeroed([] {});
}

MALLOC_CHECK(calloc_is_zero_in_every_size_after_a_purge) {
  return dirty_then_zeroed([] { malloc_trim(0); });
}

MALLOC_CHECK(usable_bytes_can_be_written_without_harming_neighbours) {
  return whole_blocks_leave_neighbours_alone(0);
}

MALLOC_CHECK(usable_bytes_of_aligned_blocks_can_be_written_without_harming_neighbours) {
  for (const std::size_t alignment : {32u, 64u, 512u, 4096u, 65536u}) {
    const std::string wrong = whole_blocks_leave_neighbours_alone(alignment);
    if (!wrong.empty()) return wrong + " at an alignment of " + std::to_string(alignment);
  }
  return "";
}

MALLOC_CHECK(zero_sized_blocks_of_every_kind_can_be_grown_and_freed) {
  const std::size_t none = hidden(std::size_t{0});
  for (int round = 0; round < 1000; ++round) {
    void* blocks[] = {std::malloc(none), std::calloc(none, 8), std::calloc(8, none),
                      std::realloc(nullptr, none), reallocarray(nullptr, none, 8)};
    for (void*& block : blocks) {
      EXPECT(block != nullptr);
      block = hidden(std::realloc(block, 50));
      EXPECT(block != nullptr);
      fill(block, 50, 0x17);
    }
    for (void* block : blocks) EXPECT(holds(block, 50, 0x17));
    for (void* block : blocks) std::free(block);
  }
  return "";
}

MALLOC_CHECK(free_keeps_errno_in_every_size) {
  for (const std::size_t bytes : sizes_of_all_ranges()) {
    void* blocks[20];

    for (void*& block : blocks) block = hidden(std::malloc(bytes));
    for (void* block : blocks) {
      errno = 4711;
      std::free(block);
      EXPECT(errno == 4711);
    }
    void* aligned = hidden(std::aligned_alloc(8192, bytes));
    errno = 4711;
    std::free(aligned);
    EXPECT(errno == 4711);
  }
  return "";
}
