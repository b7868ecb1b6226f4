// Random numbers of the workloads: xoshiro256** seeded by splitmix64 (Blackman and Vigna, "Scrambled linear
// pseudorandom number generators", ACM TOMS 47(4), 2021; https://prng.di.unimi.it, public domain algorithms).
// The same seed gives the same numbers on every machine; streams of one seed are independent.
#pragma once

#include <cstdint>

namespace heapmark {

class Rng {
 public:
  Rng(std::uint64_t seed, std::uint64_t stream) {
    std::uint64_t mixed = seed ^ (stream * 0x9E3779B97F4A7C15u);
    for (std::uint64_t& word : state_) word = split_mix(mixed);
  }

  std::uint64_t next() {
    const std::uint64_t result = rotated(state_[1] * 5, 7) * 9, shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = rotated(state_[3], 45);
    return result;
  }

  // Uniform in [0, bound), bound > 0; the bias is below bound / 2^64 (Lemire's multiplication).
  std::uint64_t below(std::uint64_t bound) {
    return static_cast<std::uint64_t>((static_cast<unsigned __int128>(next()) * bound) >> 64);
  }

  bool chance(double share) { return static_cast<double>(next() >> 11) * 0x1p-53 < share; }

 private:
  static std::uint64_t rotated(std::uint64_t value, int by) { return value << by | value >> (64 - by); }
  static std::uint64_t split_mix(std::uint64_t& state) {
    std::uint64_t z = state += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
  }
  std::uint64_t state_[4];
};

}  // namespace heapmark
