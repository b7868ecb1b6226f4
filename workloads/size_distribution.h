// Sizes of requests. Log-uniform: each octave of sizes is as likely as any other, as in most measured
// programs small sizes dominate by count and large ones by bytes. Computed in whole numbers, so that every
// machine draws the same sizes.
#pragma once

#include <cstdint>

#include "workloads/rng.h"

namespace heapmark {

// Sizes from 2^from to 2^to bytes, both exponents in 64ths: log2_64(1024) = 640.
struct LogUniform {
  std::uint32_t from, to;
};

inline constexpr std::uint32_t kStepsAnOctave = 64;
constexpr std::uint32_t octave(std::uint32_t exponent) {
  return exponent * kStepsAnOctave;
}

namespace detail {

// 2^(step/64) * 2^32 for the steps of one octave, by repeated square roots of whole numbers.
struct OctaveTable {
  std::uint64_t value[kStepsAnOctave + 1];
};

constexpr std::uint64_t square_root(unsigned __int128 of) {
  std::uint64_t root = 0;
  for (int bit = 63; bit >= 0; --bit) {
    const std::uint64_t tried = root | std::uint64_t{1} << bit;
    if (static_cast<unsigned __int128>(tried) * tried <= of) root = tried;
  }
  return root;
}

constexpr OctaveTable make_octave_table() {
  OctaveTable table{};
  table.value[0] = std::uint64_t{1} << 32;
  table.value[kStepsAnOctave] = std::uint64_t{1} << 33;
  // The value halfway between two exponents is the geometric mean of theirs.
  for (std::uint32_t step = kStepsAnOctave; step > 1; step /= 2)
    for (std::uint32_t at = 0; at < kStepsAnOctave; at += step)
      table.value[at + step / 2] =
          square_root(static_cast<unsigned __int128>(table.value[at]) * table.value[at + step]);
  return table;
}

inline constexpr OctaveTable kOctave = make_octave_table();

}  // namespace detail

inline std::uint64_t draw_size(const LogUniform& sizes, Rng& random) {
  const std::uint32_t step = sizes.from + static_cast<std::uint32_t>(random.below(sizes.to - sizes.from));
  const std::uint64_t low = detail::kOctave.value[step % kStepsAnOctave];
  const std::uint64_t high = detail::kOctave.value[step % kStepsAnOctave + 1];
  const std::uint64_t mantissa = low + random.below(high - low);
  const std::uint32_t exponent = step / kStepsAnOctave;
  return static_cast<std::uint64_t>((static_cast<unsigned __int128>(mantissa) << exponent) >> 32);
}

// A mix that drifts: half of the sizes come from the whole range, half from a window of it that moves up by
// one `phases`-th of the range each phase and begins again at the bottom.
inline std::uint64_t draw_drifting(const LogUniform& sizes, std::uint32_t phase, std::uint32_t phases,
                                   Rng& random) {
  if (random.below(2) == 0) return draw_size(sizes, random);
  const std::uint32_t width = (sizes.to - sizes.from) / phases, first = sizes.from + width * (phase % phases);
  return draw_size({first, first + width}, random);
}

}  // namespace heapmark
