// See ticks.h.
#include "workloads/host/ticks.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace heapmark::host {
namespace {

constexpr std::uint64_t kCalibrationNs = 20'000'000;
constexpr std::size_t kProbes = 20'000;
constexpr std::size_t kLongestProbe = 1024;  // ticks; what takes longer was interrupted

#if defined(__x86_64__)
bool counter_is_constant() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  const bool has_rdtscp = __get_cpuid(0x80000001, &eax, &ebx, &ecx, &edx) != 0 && (edx & 1U << 27) != 0;
  const bool constant = __get_cpuid(0x80000007, &eax, &ebx, &ecx, &edx) != 0 && (edx & 1U << 8) != 0;
  return has_rdtscp && constant;
}
#endif

}  // namespace

void Ticks::set_up() {
#if defined(__x86_64__)
  counter_ = counter_is_constant();
#endif
  if (counter_) {
    const std::uint64_t start_ns = real_clock_ns(CLOCK_MONOTONIC), start = now();
    std::uint64_t end_ns = start_ns;
    while (end_ns - start_ns < kCalibrationNs) end_ns = real_clock_ns(CLOCK_MONOTONIC);
    const std::uint64_t passed = now() - start;
    ns_per_tick_ =
        static_cast<std::uint64_t>((static_cast<unsigned __int128>(end_ns - start_ns) << 32) / passed);
  }
  static std::uint32_t counts[kLongestProbe];
  for (std::size_t probe = 0; probe < kProbes; ++probe) {
    const std::uint64_t before = now(), passed = now() - before;
    ++counts[passed < kLongestProbe ? passed : kLongestProbe - 1];
  }
  std::size_t median = 0;
  for (std::size_t seen = counts[0]; seen < kProbes / 2; seen += counts[median]) ++median;
  cost_ns_ = static_cast<double>(median) * static_cast<double>(ns_per_tick_) / 4294967296.0;
}

}  // namespace heapmark::host
