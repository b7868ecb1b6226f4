// The reference model of malloc: which blocks live, where, and what their bytes must be. It decides whether
// an answer of the allocator was allowed; it never asks for memory itself (its tables are mapped), so that
// what is tested sees only the operations of the test. Above it: play.h, which calls malloc and tells the
// model.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>

namespace heapmark::model {

// What is wrong, or null where all is well. A constant text: nothing is formatted where malloc is under test.
using Wrong = const char*;

// A block as the allocator handed it out. Its contents follow from `seed`: see stamp().
struct Block {
  unsigned char* memory = nullptr;
  std::size_t bytes = 0;      // asked for
  std::size_t usable = 0;     // malloc_usable_size; all of it is the program's
  std::size_t alignment = 1;  // promised
  std::uint64_t seed = 0;
  bool foreign = false;  // not malloc's: by sbrk. It may not overlap, but is no live block
};

// splitmix64 (Steele, Lea, Flood 2014): the same numbers on every machine and library.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  std::uint64_t below(std::uint64_t limit) { return next() % limit; }
  // The logarithm is uniform: as many sizes from 1 to 2 as from 1 to 2 MiB. From 1 to `most`.
  std::size_t log_uniform(std::size_t most);

 private:
  std::uint64_t state_;
};

// Writes the pattern: whole where the block is small; else its ends, the end of what was asked for, and 16
// places between, one in each sixteenth.
void stamp(const Block& block);
// Whether the pattern is there in the first `kept` bytes. After realloc the block at `at` is a new one.
[[nodiscard]] bool holds_stamp(const Block& block, const unsigned char* at, std::size_t kept);
[[nodiscard]] bool all_zero(const unsigned char* memory, std::size_t bytes);

// The live blocks, ordered by address. Any thread may call; a thread removes a block before it frees it and
// adds it after it was given it, so that two entries that overlap are always the allocator's fault.
class Model {
 public:
  static constexpr std::size_t kMostBlocks = 1 << 15;

  Model();
  ~Model();
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  // Checks alignment, usable size and overlap, and enters the block. Does not write to it.
  [[nodiscard]] Wrong add(const Block& block);
  // Takes the block out and checks its contents: before free and realloc.
  [[nodiscard]] Wrong remove(const Block& block);
  // All blocks still hold their patterns. No other thread may be adding or removing.
  [[nodiscard]] Wrong check_all() const;

  [[nodiscard]] std::size_t count() const;
  [[nodiscard]] std::uint64_t usable_bytes() const;  // of malloc's blocks

 private:
  std::size_t first_from(const unsigned char* address) const;

  mutable std::mutex mutex_;
  Block* blocks_;  // kMostBlocks, ordered by address
  std::size_t count_ = 0;
  std::uint64_t usable_bytes_ = 0;
};

}  // namespace heapmark::model
