// Spans of whole pages: best fit in logarithmic time, the lowest address among equals, coalescing on both
// sides at once; the free span that ends at the break is the top. After each free the policy is asked, and
// what it says is done here. Below: brk_source, kernel, page_map, span_tree. Every function: the caller holds
// the heap's lock.
//     free bytes + bytes of blocks and small spans == addresses held by this heap
#pragma once

#include "allocators/brkmmap/brk_source.h"
#include "allocators/brkmmap/page_map.h"
#include "allocators/brkmmap/span_tree.h"
#include "allocators/brkmmap/tunables.h"

namespace brkmmap {

class PageHeap {
 public:
  constexpr PageHeap(Kernel& kernel, Metadata& metadata, PageMap& map, const Tunables& tunables) noexcept
      : kernel_(kernel), metadata_(metadata), map_(map), tunables_(tunables), brk_(kernel) {}

  // A kBlock span; *zeroed tells whether it is known to read as zero. `alignment`: a power of two, at least a
  // page. Null where the limit of the process is reached even after everything free was given back.
  [[nodiscard]] Span* allocate(std::size_t pages, bool* zeroed, std::size_t alignment = kPageSize) noexcept;
  // Takes a span that only has its ends in the page map.
  void free(Span* span) noexcept;
  // Grows or shrinks a kBlock in place. False, and nothing changed, where what follows isn't free.
  [[nodiscard]] bool resize(Span* span, std::size_t pages) noexcept;
  // Takes over pages from elsewhere (a mapping that could not be given back).
  void adopt(Span* span) noexcept { free(span); }
  // Gives back all addresses that are free, whatever the thresholds. True where any went.
  bool release_everything() noexcept;
  // malloc_trim: lowers the top to `pad` bytes and purges every free range. True where anything went.
  bool trim(std::size_t pad) noexcept;

  std::size_t free_bytes() const noexcept { return free_.pages() << kPageShift; }
  std::size_t free_ranges() const noexcept { return free_.count(); }
  std::size_t hole_bytes() const noexcept { return holes_.pages() << kPageShift; }
  std::size_t top_bytes() const noexcept;
  const BrkSource& brk() const noexcept { return brk_; }

 private:
  Span* find(std::size_t pages) noexcept;
  Span* take(Span* span, std::size_t pages, bool* zeroed) noexcept;
  Span* split(Span* span, std::size_t pages) noexcept;
  Span* from_hole(std::size_t pages) noexcept;
  Span* from_brk(std::size_t pages, std::size_t pad_bytes) noexcept;
  Span* from_segment(std::size_t pages) noexcept;
  Span* insert(Span* span, SpanState state) noexcept;
  void remove(Span* span) noexcept;
  Span* neighbour(std::uintptr_t address, SpanState state) const noexcept;
  bool at_top(const Span* span) const noexcept { return brk_.end() != 0 && span->end() == brk_.end(); }
  void settle(Span* span) noexcept;
  bool lower(Span* top, std::size_t pad) noexcept;
  bool release(Span* span) noexcept;
  bool purge(Span* span) noexcept;

  Kernel& kernel_;
  Metadata& metadata_;
  PageMap& map_;
  const Tunables& tunables_;
  BrkSource brk_;
  SpanTree free_;
  SpanTree holes_;
};

}  // namespace brkmmap
