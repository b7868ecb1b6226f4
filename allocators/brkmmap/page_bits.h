// Pages of small things, 32 to a page with a bit each: slabs of several pages (slab.h) and descriptions of
// spans (metadata.h). Which pages hold none, and the runs of such pages, each of which goes back in one call.
#pragma once

#include <cstddef>
#include <cstdint>

namespace brkmmap {

inline constexpr std::size_t kBitsAPage = 32;

inline bool is_page_free(const std::uint64_t* used, std::size_t page) noexcept {
  return static_cast<std::uint32_t>(used[page / 2] >> page % 2 * kBitsAPage) == 0;
}

// The bits of the pages [first, end).
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
