// Pages of small things, with a bit each in an array of words: slabs of several pages (slab.h) and
// descriptions of spans (metadata.h). Which pages hold none, and the runs of such pages, each of which takes
// one call.
#pragma once

#include <cstddef>
#include <cstdint>

namespace brkmmap {

// Whether no bit of a page is set, of which there are `bits`: a power of two.
inline bool is_page_free(const std::uint64_t* used, std::size_t page, std::size_t bits) noexcept {
  const std::size_t first = page * bits;
  if (bits < 64) return (used[first / 64] >> first % 64 & ((std::uint64_t{1} << bits) - 1)) == 0;
  for (std::size_t word = first / 64; word < (first + bits) / 64; ++word)
    if (used[word] != 0) return false;
  return true;
}

// One bit for each of the pages [first, end).
inline std::size_t bits_of(std::size_t first, std::size_t end) noexcept {
  return (std::size_t{1} << end) - (std::size_t{1} << first);
}

// Calls act(first, end) for every longest run of pages, of the first `count`, of which `is_one` says so.
template <typename IsOne, typename Act>
void each_run(std::size_t count, IsOne is_one, Act act) noexcept {
  for (std::size_t page = 0; page < count;) {
    std::size_t end = page;
    while (end < count && is_one(end)) ++end;
    if (end != page) act(page, end);
    page = end + 1;
  }
}

}  // namespace brkmmap
