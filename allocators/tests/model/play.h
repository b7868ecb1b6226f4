// The operations of a test: each calls malloc's public face once and lets the model judge the answer. Which
// operation comes next is decided above (model_child, fuzz, soak); what a right answer is, below (model.h).
#pragma once

#include <cstddef>
#include <cstdint>

#include "allocators/brkmmap/brkmmap.h"
#include "allocators/tests/model/model.h"

namespace heapmark::model {

// A slot is a Block whose memory is null while it is empty. Operations that fill need an empty one, the
// others a full one. Every block is stamped when it is handed out. Any thread may call, each with slots of
// its own.
class Player {
 public:
  // Whether the refusal of a request for so many bytes, alignment included, is right at this moment.
  using Judge = Wrong (*)(std::size_t bytes);

  // Without a judge no request may be refused. Where a refusal is right, the slot is as it was: empty, or its
  // block with all that it holds.
  explicit Player(Model& model, Judge refusals = nullptr) : model_(model), refusals_(refusals) {}

  [[nodiscard]] Wrong allocate(Block& slot, std::size_t bytes, std::uint64_t seed);
  [[nodiscard]] Wrong allocate_zeroed(Block& slot, std::size_t count, std::size_t each, std::uint64_t seed);
  // `alignment`: a power of two. By posix_memalign, or by aligned_alloc.
  [[nodiscard]] Wrong allocate_aligned(Block& slot, std::size_t alignment, std::size_t bytes, bool by_posix,
                                       std::uint64_t seed);
  // By valloc, or by pvalloc, which rounds up to whole pages.
  [[nodiscard]] Wrong allocate_pages(Block& slot, std::size_t bytes, bool whole, std::uint64_t seed);
  // By the operators that don't throw; `alignment` 0: the plain one. They call malloc or stand beside it:
  // free takes their blocks.
  [[nodiscard]] Wrong allocate_by_new(Block& slot, std::size_t alignment, std::size_t bytes,
                                      std::uint64_t seed);
  // Of a full or an empty slot; bytes == 0 frees and empties it, as glibc's manual says.
  [[nodiscard]] Wrong reallocate(Block& slot, std::size_t bytes, std::uint64_t seed);
  [[nodiscard]] Wrong release(Block& slot);
  // Its size and contents are as they were.
  [[nodiscard]] Wrong look_at(const Block& slot) const;

 private:
  [[nodiscard]] Wrong enter(Block& slot, void* memory, std::size_t bytes, std::size_t alignment,
                            std::uint64_t seed);

  [[nodiscard]] Wrong refuse(std::size_t bytes, int error) const;

  Model& model_;
  Judge refusals_;
};

// brkmmap's own figures, where brkmmap is the malloc: live + cached + free + metadata == mapped at any moment
// when no thread is inside, and live moves as the model's blocks do.
class Figures {
 public:
  // Looks brkmmap_stats up, and takes what lives outside the model now as the base.
  explicit Figures(const Model& model);
  [[nodiscard]] bool are_there() const { return stats_ != nullptr; }
  [[nodiscard]] struct brkmmap_stats now() const;  // zeros where they are not there
  // No other thread may be inside the allocator. `foreign_bytes`: how far the bytes that live outside the
  // model may have moved since the beginning (stacks' tables, stdio).
  [[nodiscard]] Wrong check(std::uint64_t foreign_bytes) const;
  // The figures of the last failed check, for the report. By write(2).
  void print() const;

 private:
  std::uint64_t outside() const;

  const Model& model_;
  void* stats_;
  std::uint64_t base_ = 0;
};

}  // namespace heapmark::model
