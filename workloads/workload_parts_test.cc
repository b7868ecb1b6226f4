// The pure parts of the workloads: random numbers, sizes, fragmentation measures, the tutorial's verdicts.
#include <catch2/catch.hpp>
#include <cmath>

#include "workloads/fragmentation.h"
#include "workloads/log_buckets.h"
#include "workloads/rng.h"
#include "workloads/size_distribution.h"

using namespace heapmark;

TEST_CASE("random numbers are those of the published generator") {
  // splitmix64 from state 0 gives 0xe220a8397b1dcdaf, 0x6e789e6aa1b965f4, 0x06c45d188009454f,
  // 0xf88bb8a8724c81ec; the first output of xoshiro256** on that state is rotl(s1 * 5, 7) * 9.
  const std::uint64_t s1 = 0x6e789e6aa1b965f4u;
  const std::uint64_t five = s1 * 5, expected = (five << 7 | five >> 57) * 9;
  CHECK(Rng(0, 0).next() == expected);
}

TEST_CASE("the same seed and stream repeat, another stream differs") {
  Rng one(7, 1), same(7, 1), other(7, 2);
  bool differs = false;
  for (int at = 0; at < 100; ++at) {
    const auto value = one.next();
    CHECK(value == same.next());
    differs = differs || value != other.next();
  }
  CHECK(differs);
}

TEST_CASE("log-uniform sizes stay in their range and give each octave its share") {
  Rng random(1, 0);
  const LogUniform sizes{octave(4), octave(16)};  // 16 B to 64 KiB: 12 octaves
  int in_octave[12] = {};
  constexpr int kDraws = 120'000;
  for (int at = 0; at < kDraws; ++at) {
    const std::uint64_t size = draw_size(sizes, random);
    REQUIRE(size >= 16);
    REQUIRE(size < 65536);
    ++in_octave[static_cast<int>(std::log2(static_cast<double>(size))) - 4];
  }
  // 10,000 expected each; binomial standard deviation 96: six of them
  for (const int count : in_octave) CHECK(std::abs(count - kDraws / 12) < 600);
}

TEST_CASE("the octave table is 2 to the power of 64ths, within a part of 10^9") {
  for (std::uint32_t step = 0; step <= kStepsAnOctave; ++step) {
    const double exact = std::exp2(step / 64.0) * 4294967296.0;
    CHECK(std::abs(static_cast<double>(detail::kOctave.value[step]) / exact - 1) < 1e-9);
  }
}

TEST_CASE("a drifting mix prefers the window of its phase") {
  Rng random(3, 0);
  const LogUniform sizes{octave(4), octave(16)};
  for (std::uint32_t phase = 0; phase < 4; ++phase) {
    int inside = 0;
    for (int at = 0; at < 10'000; ++at) {
      const std::uint64_t size = draw_drifting(sizes, phase, 4, random);
      inside += size >= (16u << 3 * phase) && size < (16u << 3 * (phase + 1));
    }
    // half of the window's own and a quarter of the other half: 62.5 %, standard deviation 48
    CHECK(std::abs(inside - 6250) < 300);
  }
}

TEST_CASE("Johnstone and Wilson's four measures, worked by hand") {
  const HeapSample samples[] = {{0, 0, 50}, {1, 100, 120}, {2, 200, 220}, {3, 50, 300}, {4, 100, 150}};
  const Fragmentation f = fragmentation_of(samples, 5);
  CHECK(f.f1 == Approx((1.2 + 1.1 + 6.0 + 1.5) / 4));
  CHECK(f.f2 == Approx(220.0 / 200));
  CHECK(f.f3 == Approx(300.0 / 50));
  CHECK(f.f4 == Approx(300.0 / 200));
  CHECK(std::isnan(fragmentation_of(samples, 1).f1));
}

TEST_CASE("what a live byte costs is the mean held over the mean live, samples without any included") {
  const HeapSample samples[] = {{0, 0, 50}, {1, 100, 150}, {2, 300, 400}};
  CHECK(held_over_live_in_all(samples, 3) == Approx(600.0 / 400));
  CHECK(std::isnan(held_over_live_in_all(samples, 1)));
}

TEST_CASE("growth is the least-squares slope, worked by hand") {
  // y = 10 + 2 x, and one point 3 off: x 0 1 2 3, y 10 12 17 16; slope = (sum dx dy) / (sum dx dx) = 11.5 / 5
  const HeapSample samples[] = {{0, 1, 10}, {1, 1, 12}, {2, 1, 17}, {3, 1, 16}};
  CHECK(growth_per_million_operations(samples, 4) == Approx(2.3e6));
  CHECK(std::isnan(growth_per_million_operations(samples, 1)));
}

TEST_CASE("every duration falls into the bucket that begins at or before it, none of them wide") {
  for (std::size_t at = 0; at < kBuckets; ++at) {
    CHECK(bucket_of(bucket_begin(at)) == at);
    CHECK(bucket_of(bucket_begin(at + 1) - 1) == at);
    const auto begin = static_cast<double>(bucket_begin(at)), end = static_cast<double>(bucket_begin(at + 1));
    CHECK((at < 32 || end <= begin * 1.0625));
  }
  CHECK(bucket_of(~std::uint64_t{0}) == kBuckets - 1);
}

TEST_CASE("quantiles are those of the calls counted, and absent where too few calls lie beyond") {
  std::uint64_t counts[kBuckets] = {};
  CHECK(std::isnan(quantile(counts, 0, 0.5)));
  counts[bucket_of(20)] = 9'980;
  counts[bucket_of(5'000)] = 20;
  CHECK(quantile(counts, 10'000, 0.5) == 20);
  CHECK(quantile(counts, 10'000, 0.99) == 20);
  CHECK(quantile(counts, 10'000, 0.999) == Approx(5'000).epsilon(0.032));
  CHECK(std::isnan(quantile(counts, 10'000, 0.9999)));
}
