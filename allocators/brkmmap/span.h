// A span: a run of whole units that is one thing. Its description lies outside of it, so that a block's own
// pages stay untouched until the program touches them, and nothing that the program writes can harm it.
//   kFree      in the page heap's tree of free ranges; addresses held
//   kPurging   for the moment in which a sweep gives its pages back, of the page heap but not to be had
//   kHole      whole pages inside the brk heap, addresses given back (munmap); may be mapped again in place
//   kBlock     one block handed out from the page heap
//   kSlab      256 granules of one kind, cut into small objects (slab.h); whole pages
//   kMapped    one block that is a mapping of its own; `above` leads to its further parts, where it has any
//   kKept      freed, and kept for a while: a part of a mapping
//   kCached    a block or mapping that was freed and that its thread keeps (large_cache.h)
// A slab stands in the page map with all of its pages, a block or mapping with the page that it begins in; a
// block is larger than a page, so that no two begin in one.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "allocators/brkmmap/pages.h"

namespace brkmmap {

enum class SpanState : std::uint8_t {
  kUnused,
  kFree,
  kPurging,
  kHole,
  kBlock,
  kSlab,
  kMapped,
  kKept,
  kCached
};

inline constexpr std::size_t kGranules = 256;  // of a slab

// One line of the cache a slab's bitmaps, one everything else: a free of a small object reads only the first.
struct alignas(64) Span {
  union {
    std::atomic<std::uint64_t> bits[2 * kGranules / 64];  // kSlab: at which granules one ends, then: begins
    struct {
      Span* before;  // the queue of written ones
      Span* after;
      std::size_t dirty_to;  // behind so many units all reads as zero; means nothing where dirty_units is 0
      bool refused;          // the kernel refused to purge it, and it is in no queue
    } idle;                  // kFree
  };

  Span() noexcept : idle{} {}

  std::uintptr_t start = 0;
  std::size_t units = 0;
  union {
    std::size_t dirty_units = 0;  // kFree: how many may have been written; 0: all read as zero
    struct {
      std::uint32_t gone;    // kSlab: which of its pages gave up their addresses
      std::uint32_t purged;  // kSlab: which of its pages, all free, were purged
    };
  };
  Span* below = nullptr;  // the span that ends where this one begins, and the one that begins where
  Span* above = nullptr;  // this one ends; null at the edges of a heap
  Span* left = nullptr;   // tree of free spans or of holes; list of slabs
  Span* right = nullptr;
  std::atomic<SpanState> state{SpanState::kUnused};
  std::uint8_t kind = 0;   // kSlab
  std::uint8_t shard = 0;  // kSlab: who owns it
  union {
    std::uint16_t free_granules = 0;  // kSlab
    std::uint16_t sweep;              // kFree: how many sweeps there had been when it became so
  };
  std::uint16_t longest = 0;  // kSlab: its longest run of free granules

  std::uintptr_t end() const noexcept { return start + bytes(); }
  std::size_t bytes() const noexcept { return units << kUnitShift; }
  // All of it may have been written.
  void set_written() noexcept { dirty_units = idle.dirty_to = units; }
  bool is(SpanState which) const noexcept { return state.load(std::memory_order_relaxed) == which; }
};
static_assert(sizeof(Span) == 128);

// Asks for the lines of a description that will be written soon; of none as well.
inline void prefetch(const Span* span) noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(span);
  __builtin_prefetch(reinterpret_cast<const void*>(address), 1);
  __builtin_prefetch(reinterpret_cast<const void*>(address + 64), 1);
}

}  // namespace brkmmap
