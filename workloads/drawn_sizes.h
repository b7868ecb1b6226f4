// Laws of sizes that published benchmarks use and that are no log-uniform range: inverse square, and powers
// of two each half as likely as the one before. In plain IEEE arithmetic without a library: the same
// everywhere.
#pragma once

#include <cstdint>

#include "workloads/rng.h"

namespace heapmark {

// Density in proportion to 1 / bytes^2 from `low` to `high`, by inversion: 1 / bytes is uniform.
inline std::uint64_t draw_inverse_square(std::uint64_t low, std::uint64_t high, Rng& random) {
  const double share = static_cast<double>(random.next() >> 11) * 0x1p-53;
  const double least = 1 / static_cast<double>(high + 1), most = 1 / static_cast<double>(low);
  const auto bytes = static_cast<std::uint64_t>(1 / (most - share * (most - least)));
  return bytes < low ? low : bytes > high ? high : bytes;
}

// 0 for one half of the draws, 1 for one quarter, and so on, at most `most`.
inline std::uint64_t draw_halving(std::uint64_t most, Rng& random) {
  const auto zeros = static_cast<std::uint64_t>(__builtin_ctzll(random.next() | std::uint64_t{1} << 63));
  return zeros < most ? zeros : most;
}

}  // namespace heapmark
