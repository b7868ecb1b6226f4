// A slab's two bitmaps, one bit a granule: `used` is set inside objects, `starts` where one begins. From them
// follow an object's size, whether an address is one, and, with no list and no coalescing step, every run of
// free granules, of whatever sizes of objects it was made. Only who holds the owner's lock writes; a thread
// that frees a live object may read without it, since the bits of that object stay as they are until it is
// gone.
#pragma once

#include <bit>

#include "allocators/brkmmap/size_classes.h"

namespace brkmmap::slab {

inline constexpr std::size_t kWords = kGranules / 64;

inline std::uint64_t load(const std::atomic<std::uint64_t>& word) noexcept {
  return word.load(std::memory_order_relaxed);
}

inline bool is_start(const Span& span, std::size_t granule) noexcept {
  return load(span.bits.starts[granule / 64]) >> granule % 64 & 1;
}

// Granules of the object that begins at `granule`: up to the next one that begins another or is free.
[[gnu::always_inline]] inline std::size_t length(const Span& span, std::size_t granule) noexcept {
  std::size_t word = granule / 64;
  const std::size_t bit = granule % 64;
  const std::uint64_t ends = (load(span.bits.starts[word]) | ~load(span.bits.used[word])) >> bit >> 1;
  if (ends != 0) [[likely]]
    return static_cast<std::size_t>(std::countr_zero(ends)) + 1;
  if (++word == kWords) return kGranules - granule;
  const std::uint64_t more = load(span.bits.starts[word]) | ~load(span.bits.used[word]);
  return 64 - bit + static_cast<std::size_t>(std::countr_zero(more));  // none is longer than a word
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

// How many granules below `before` are free without a gap.
inline std::size_t free_below(const std::uint64_t* used, std::size_t before) noexcept {
  std::size_t count = 0;
  while (before != 0) {
    const std::size_t bits = (before - 1) % 64 + 1;  // of the word that are below
    const std::uint64_t word = used[(before - 1) / 64] << (64 - bits);
    if (word != 0) return count + static_cast<std::size_t>(std::countl_zero(word));
    count += bits;
    before -= bits;
  }
  return count;
}

inline std::uint64_t mask(std::size_t from, std::size_t count) noexcept {  // inside one word; count <= 64
  return (count == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1) << from;
}

// Calls with (word, mask) for the granules [from, from + count).
template <typename Visit>
inline void each_word(std::size_t from, std::size_t count, Visit visit) noexcept {
  while (count != 0) {
    const std::size_t bit = from % 64;
    const std::size_t now = count < 64 - bit ? count : 64 - bit;
    visit(from / 64, mask(bit, now));
    from += now;
    count -= now;
  }
}

}  // namespace brkmmap::slab
