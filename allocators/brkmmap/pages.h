// Units of the allocator: the page, the kernel's; the unit of 1 KiB, in which spans are counted; and
// rounding. A name says which (`pages`, `units`, `bytes`). Knows nothing else.
#pragma once

#include <cstddef>
#include <cstdint>

namespace brkmmap {

inline constexpr std::size_t kPageShift = 12;
inline constexpr std::size_t kPageSize = std::size_t{1} << kPageShift;
inline constexpr std::size_t kUnitShift = 10;
inline constexpr std::size_t kUnit = std::size_t{1} << kUnitShift;
inline constexpr std::size_t kUnitsAPage = kPageSize / kUnit;
inline constexpr std::size_t kHugePage = std::size_t{2}
                                         << 20;  // of x86-64, and of AArch64 with pages of 4 KiB
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
constexpr std::size_t units_for(std::size_t bytes) noexcept {
  return (bytes >> kUnitShift) + ((bytes & (kUnit - 1)) != 0);
}

}  // namespace brkmmap
