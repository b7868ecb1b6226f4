// Spans of whole units: best fit in logarithmic time, the lowest address among equals, coalescing on both
// sides at once; the free span that ends at the break is the top. What is free and what goes back to the
// kernel is the policy's to say (policy.h), and done here. Below: brk_source, kernel, page_map, free_spans.
// Every function: the caller holds the heap's lock.
//     free bytes + bytes of blocks and slabs == addresses held by this heap
#pragma once

#include "allocators/brkmmap/brk_source.h"
#include "allocators/brkmmap/free_spans.h"
#include "allocators/brkmmap/lock.h"
#include "allocators/brkmmap/page_map.h"
#include "allocators/brkmmap/policy.h"

namespace brkmmap {

class PageHeap {
 public:
  constexpr PageHeap(Kernel& kernel, Metadata& metadata, PageMap& map, const Tunables& tunables,
                     Hysteresis& hysteresis, Lock& lock) noexcept
      : kernel_(kernel),
        metadata_(metadata),
        map_(map),
        tunables_(tunables),
        hysteresis_(hysteresis),
        lock_(lock),
        brk_(kernel) {}

  // A kBlock span that is not in the page map; what lies behind its first *dirty_bytes is known to read as
  // zero. `alignment` in bytes: a power of two, at least a unit. Null where the limit of the process is
  // reached even after everything free was given back.
  [[nodiscard]] Span* allocate(std::size_t units, std::size_t* dirty_bytes,
                               std::size_t alignment = kUnit) noexcept;
  // Takes a span that is not in the page map.
  void free(Span* span) noexcept;
  // Whether free_slab() will have the descriptions that it needs.
  [[nodiscard]] bool can_free_slab(const Span* slab) noexcept;
  // Takes an empty slab, pages of which may be gone. Precondition: can_free_slab().
  void free_slab(Span* slab) noexcept;
  // Gives the addresses of whole pages inside a slab back; they stay part of its span. False where the kernel
  // refuses.
  [[nodiscard]] bool release_inside(std::uintptr_t start, std::size_t bytes) noexcept;
  // Grows or shrinks a kBlock in place. False, and nothing changed, where what follows isn't free.
  [[nodiscard]] bool resize(Span* span, std::size_t units) noexcept;
  // Takes over pages from elsewhere (a mapping that could not be given back).
  void adopt(Span* span) noexcept {
    kernel_.pieces.fetch_add(1, std::memory_order_relaxed);
    free(span);
  }
  // Gives back all addresses that are free, whatever the thresholds. True where any went.
  bool release_everything() noexcept;
  // malloc_trim: lowers the top to `pad` bytes and purges every free range. True where anything went.
  bool trim(std::size_t pad) noexcept;

  // In the child of fork: a sweep of another thread, which does not exist there, is over.
  void forget_sweep() noexcept;

  // The program rests: the top is lowered and what may be written is purged, whatever the thresholds, until
  // the kernel has refused some times in a row.
  void rest() noexcept;
  // Whether another mapping may be split off: well before the kernel would refuse (vm.max_map_count), since
  // the program needs mappings too.
  bool may_split() noexcept;

  std::size_t free_bytes() const noexcept { return (free_.units() + purging_units_) << kUnitShift; }
  std::size_t free_ranges() const noexcept { return free_.count(); }
  std::size_t hole_bytes() const noexcept { return (holes_.units() + gone_units_) << kUnitShift; }
  std::size_t out_bytes() const noexcept { return out_units_ << kUnitShift; }  // blocks and slabs
  std::size_t dirty_bytes() const noexcept { return free_.dirty().units() << kUnitShift; }
  std::size_t top_bytes() const noexcept;
  // Everything handed out, mappings too.
  std::size_t live_bytes() const noexcept {
    return kernel_.mapped_bytes.load(std::memory_order_relaxed) -
           kernel_.metadata_bytes.load(std::memory_order_relaxed) -
           kernel_.retained.kept_bytes.load(std::memory_order_relaxed) -
           kernel_.leaving_bytes.load(std::memory_order_relaxed) - free_bytes();
  }
  const BrkSource& brk() const noexcept { return brk_; }

 private:
  Span* find(std::size_t units) noexcept;
  Span* fit(std::size_t units, std::size_t alignment) noexcept;
  Span* split(Span* span, std::size_t units) noexcept;
  Span* take(Span* span, std::size_t units, std::size_t alignment, std::size_t* dirty_bytes) noexcept;
  Span* from_hole(std::size_t units) noexcept;
  Span* from_brk(std::size_t units, std::size_t pad_bytes) noexcept;
  Span* from_segment(std::size_t units) noexcept;
  void put(Span* span, SpanState state) noexcept;
  void remove(Span* span) noexcept;
  Span* insert(Span* span, SpanState state) noexcept;
  void absorb(Span* lower, Span* upper) noexcept;
  void forget(Span* span) noexcept;
  void forget_of_segment(Span* span) noexcept;
  Span* free_top() const noexcept;
  bool at_top(const Span* span) const noexcept { return span == top_ && span->end() == brk_.end(); }
  void settle(Span* span) noexcept;
  static bool is_beside_hole(const Span* span) noexcept;
  std::size_t most_dirty() noexcept;
  void sweep() noexcept;
  void put_back(std::uint32_t gone) noexcept;
  void note_purged(const Span* span, std::size_t units) noexcept;
  static std::size_t edge_units(const Span* span, std::size_t keep) noexcept;
  static void set_purged(Span* span, std::size_t keep) noexcept;
  bool may_purge() noexcept;
  void note_answer(bool purged) noexcept;
  void note_dirty() noexcept {
    kernel_.retained.dirty_bytes.store(free_.dirty().all_units() << kUnitShift, std::memory_order_relaxed);
  }
  std::size_t elsewhere_bytes() const noexcept {
    return kernel_.retained.total() - kernel_.retained.dirty_bytes.load(std::memory_order_relaxed);
  }
  static bool is_worth_purging(const Span* span, std::size_t keep = 0) noexcept;
  bool lower(Span* top, std::size_t pad) noexcept;
  bool release(Span* span, std::size_t keep) noexcept;
  bool release(Span* span, std::uintptr_t start, std::uintptr_t end, std::size_t pages_bytes) noexcept;
  bool is_in_rounds() noexcept;
  bool refills() noexcept { return is_in_rounds() && hysteresis_.refills(live_bytes(), kHugePage); }
  bool release_huge(Span* span, bool only_clean) noexcept;
  void fault_in(Span* span) noexcept;
  bool purge(Span* span, std::size_t keep) noexcept;

  Kernel& kernel_;
  Metadata& metadata_;
  PageMap& map_;
  const Tunables& tunables_;
  Hysteresis& hysteresis_;
  Lock& lock_;
  BrkSource brk_;
  FreeSpans free_;
  SpanTree holes_;
  Span* top_ = nullptr;  // the last span of the brk heap, free or not
  bool in_brk(const Span* span) const noexcept {
    return span->start >= brk_.first() && span->end() <= brk_.end();
  }

  std::size_t out_units_ = 0;
  std::size_t gone_units_ = 0;  // of slabs in the brk heap
  std::uint16_t sweeps_ = 0;    // wraps: an old span may be spared once
  static constexpr std::size_t kAtOnce = 16;
  Span* swept_[kAtOnce] = {};  // by the sweep that goes on
  std::size_t sweeping_ = 0;   // how many those are
  std::size_t purging_units_ = 0;
  std::size_t swept_to_ = 0;  // dirty bytes that the last sweep left
  // The kernel refuses to purge locked memory (mlockall): after n refusals in a row the next 2^n occasions
  // pass.
  std::size_t most_pieces_ = 0;  // 0: not looked up yet
  bool has_huge_pages_ = false;  // they were asked for and are there
  static constexpr std::uint32_t kMostRefusals = 10;
  std::uint32_t refusals_ = 0;
  std::uint32_t occasions_left_ = 0;
};

// The whole pages inside a span, but for its first `keep` bytes.
struct InnerPages {
  std::uintptr_t start, end;
  InnerPages(const Span& span, std::size_t keep) noexcept
      : start(round_up(span.start + keep, kPageSize)), end(round_down(span.end(), kPageSize)) {
    if (end < start) end = start;
  }
  std::size_t bytes() const noexcept { return end - start; }
};

}  // namespace brkmmap
