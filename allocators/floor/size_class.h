// The size classes of the floor: 16 bytes apart up to 128, then eight to a doubling, without an upper end. At
// most 12.5 % of a block above 128 bytes is lost inside it.
#pragma once

#include <bit>
#include <cstddef>

namespace heapmark::floor {

inline constexpr std::size_t kClasses = 8 + 8 * 41;  // up to 2^48 bytes: more than a process can address

constexpr std::size_t class_of(std::size_t bytes) {
  if (bytes <= 128) return bytes == 0 ? 0 : (bytes - 1) / 16;
  const std::size_t last = bytes - 1, doubling = static_cast<std::size_t>(std::bit_width(last)) - 8;
  return 8 + doubling * 8 + ((last >> (doubling + 4)) - 8);
}

constexpr std::size_t class_size(std::size_t index) {
  if (index < 8) return (index + 1) * 16;
  const std::size_t doubling = (index - 8) / 8;
  return (std::size_t{128} << doubling) + ((index - 8) % 8 + 1) * (std::size_t{16} << doubling);
}

}  // namespace heapmark::floor
