// Units of the allocator: the page, and rounding to it. Spans are counted in pages, requests in bytes; a name
// says which (`pages`, `bytes`). Knows nothing else.
#pragma once

#include <cstddef>
#include <cstdint>

namespace brkmmap {

inline constexpr std::size_t kPageShift = 12;
inline constexpr std::size_t kPageSize = std::size_t{1} << kPageShift;
inline constexpr std::size_t kAlignment =
    16;  // of every block: what max_align_t asks for on x86-64 and AArch64

constexpr std::size_t round_up(std::size_t value, std::size_t power_of_two) noexcept {
  return (value + power_of_two - 1) & ~(power_of_two - 1);
}
constexpr std::size_t round_down(std::size_t value, std::size_t power_of_two) noexcept {
  return value & ~(power_of_two - 1);
}
constexpr std::size_t pages_for(std::size_t bytes) noexcept {
  return (bytes >> kPageShift) + ((bytes & (kPageSize - 1)) != 0);
}

}  // namespace brkmmap
