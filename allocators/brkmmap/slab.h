// A slab's two bitmaps, one bit a granule: `starts` is set where an object begins, `ends` at its last
// granule. From them follow an object's size, whether an address is one, and, with no list and no coalescing
// step, every run of free granules, of whatever sizes of objects it was made. Only who holds the owner's lock
// writes. A thread that frees a live object reads without it: the two bits of that object, and that there are
// none in between, stay as they are until it is gone, whatever becomes of its neighbours.
#pragma once

#include <algorithm>
#include <bit>

#include "allocators/brkmmap/size_classes.h"

namespace brkmmap::slab {

inline constexpr std::size_t kWords = kGranules / 64;

inline std::uint64_t load(const std::atomic<std::uint64_t>& word) noexcept {
  return word.load(std::memory_order_relaxed);
}

inline auto* ends(Span& span) noexcept {
  return span.bits;
}
inline auto* starts(Span& span) noexcept {
  return span.bits + kWords;
}
inline const auto* starts(const Span& span) noexcept {
  return span.bits + kWords;
}

inline bool is_start(const Span& span, std::size_t granule) noexcept {
  return load(starts(span)[granule / 64]) >> granule % 64 & 1;
}

// Granules of the object that begins at `granule`: its end is among the 64 from there on, which may lie in
// two words. In the last word of ends it comes first, and what follows that word doesn't count.
[[gnu::always_inline]] inline std::size_t length(const Span& span, std::size_t granule) noexcept {
  const std::size_t word = granule / 64, bit = granule % 64;
  const std::uint64_t window = load(span.bits[word]) >> bit | load(span.bits[word + 1]) << 1 << (63 - bit);
  return static_cast<unsigned>(std::countr_zero(window | std::uint64_t{1} << 63)) + std::size_t{1};
}

// The granule at which an object begins, and how many bytes it has.
inline std::size_t granule_of(const Span& span, const void* object) noexcept {
  return (reinterpret_cast<std::uintptr_t>(object) - span.start) >> granule_shift(span.kind);
}
inline std::size_t bytes(const Span& span, const void* object) noexcept {
  return length(span, granule_of(span, object)) << granule_shift(span.kind);
}

// The granules that cannot be had: those inside objects, as numbers 2 ends - starts, since an object from s
// to e is 2^(e + 1) - 2^s; and those of pages that are gone. Caller holds the owner's lock.
inline void load_used(const Span& span, std::uint64_t* used) noexcept {
  std::uint64_t carried = 0, borrowed = 0;
  for (std::size_t word = 0; word < kWords; ++word) {
    const std::uint64_t start = load(starts(span)[word]), end = load(span.bits[word]);
    const std::uint64_t doubled = end << 1 | carried;
    const std::uint64_t difference = doubled - start;
    used[word] = difference - borrowed;
    borrowed = std::uint64_t{doubled < start} | std::uint64_t{difference < borrowed};
    carried = end >> 63;
  }
  if (span.gone == 0) [[likely]]
    return;
  const std::size_t a_page = granules_a_page(span.kind);
  for (std::size_t granule = 0; granule < kGranules; ++granule)
    if (span.gone >> granule / a_page & 1) used[granule / 64] |= std::uint64_t{1} << granule % 64;
}

// The first granule from `from` on that is free (`value` 0) or used (1); kGranules where there is none.
inline std::size_t next(const std::uint64_t* words, std::size_t from, std::uint64_t value) noexcept {
  if (from >= kGranules) return kGranules;
  const std::uint64_t flip = value != 0 ? 0 : ~std::uint64_t{0};
  std::size_t word = from / 64;
  std::uint64_t found = (words[word] ^ flip) >> from % 64 << from % 64;
  while (found == 0) {
    if (++word == kWords) return kGranules;
    found = words[word] ^ flip;
  }
  return word * 64 + static_cast<std::size_t>(std::countr_zero(found));
}

// The free run that granule `at`, which is free and in which no object begins or ends, lies in: from behind
// the object before it to the one after it, or to pages that are gone.
struct Run {
  std::size_t from, to;
};
inline Run run_around(const Span& span, std::size_t at) noexcept {
  std::size_t word = at / 64;
  std::uint64_t below = load(span.bits[word]) & ((std::uint64_t{1} << at % 64) - 1);
  while (below == 0 && word != 0) below = load(span.bits[--word]);
  Run run{below == 0 ? 0 : word * 64 + static_cast<std::size_t>(std::bit_width(below)), kGranules};
  word = at / 64;
  std::uint64_t above = load(starts(span)[word]) >> at % 64 << at % 64;
  while (above == 0 && word != kWords - 1) above = load(starts(span)[++word]);
  if (above != 0) run.to = word * 64 + static_cast<std::size_t>(std::countr_zero(above));
  for (std::size_t gone = span.gone; gone != 0; gone &= gone - 1) {
    const std::size_t a_page = granules_a_page(span.kind);
    const std::size_t page = static_cast<std::size_t>(std::countr_zero(gone)) * a_page;
    if (page > at) run.to = std::min(run.to, page);
    if (page <= at) run.from = std::max(run.from, page + a_page);
  }
  return run;
}

inline void set(std::atomic<std::uint64_t>* words, std::size_t granule) noexcept {
  auto& word = words[granule / 64];
  word.store(load(word) | std::uint64_t{1} << granule % 64, std::memory_order_relaxed);
}
inline void clear(std::atomic<std::uint64_t>* words, std::size_t granule) noexcept {
  auto& word = words[granule / 64];
  word.store(load(word) & ~(std::uint64_t{1} << granule % 64), std::memory_order_relaxed);
}

}  // namespace brkmmap::slab
