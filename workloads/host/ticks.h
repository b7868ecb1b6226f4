// The clock of the latency pass: the time stamp counter where the processor says that it runs at a constant
// rate in all states (CPUID 80000007H, EDX bit 8; Intel SDM 3B 18.17, AMD APM 2 13.2.4), else CLOCK_MONOTONIC
// in nanoseconds. A reading waits until all earlier instructions are done and lets no later one begin before.
#pragma once

#include <cstdint>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

#include "workloads/host/clock.h"

namespace heapmark::host {

class Ticks {
 public:
  // Finds the clock, its rate (against CLOCK_MONOTONIC, in about 20 ms) and what two readings cost.
  void set_up();

  [[nodiscard]] std::uint64_t now() const {
#if defined(__x86_64__)
    if (counter_) [[likely]] {
      unsigned processor;
      const std::uint64_t ticks = __rdtscp(&processor);
      _mm_lfence();
      return ticks;
    }
#endif
    return real_clock_ns(CLOCK_MONOTONIC);
  }

  [[nodiscard]] std::uint64_t to_ns(std::uint64_t ticks) const {
    return static_cast<std::uint64_t>(static_cast<unsigned __int128>(ticks) * ns_per_tick_ >> 32);
  }
  [[nodiscard]] std::uint64_t from_ns(std::uint64_t ns) const {
    return static_cast<std::uint64_t>((static_cast<unsigned __int128>(ns) << 32) / ns_per_tick_);
  }

  // The median time between two readings with nothing between them.
  [[nodiscard]] double cost_ns() const {
    return cost_ns_;
  }
  [[nodiscard]] const char* source() const {
    return counter_ ? "rdtscp" : "clock_gettime";
  }

 private:
  bool counter_ = false;
  std::uint64_t ns_per_tick_ = std::uint64_t{1} << 32;  // in 2^-32 ns
  double cost_ns_ = 0;
};

}  // namespace heapmark::host
