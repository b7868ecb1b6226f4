// See steady_report.h.
#include "workloads/steady_report.h"

#include <time.h>

namespace heapmark {
namespace {

constexpr double kRssTolerance = 0.02, kTimeTolerance = 0.10;
constexpr std::size_t kTimeGroups = 20;

std::uint64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

}  // namespace

void SteadySeries::prepare(Context& context) {
  if (!context.sampling()) return;
  samples_ = static_cast<HeapSample*>(context.own_memory(sizeof(HeapSample) * kSamples));
  step_ns_ = static_cast<double*>(context.own_memory(sizeof(double) * kSamples));
}

void SteadySeries::begin() {
  if (samples_ != nullptr) resumed_ns_ = now_ns();
}

void SteadySeries::add(Context& context, std::uint64_t operations, std::uint64_t live_bytes) {
  if (samples_ == nullptr || count_ == kSamples) return;
  step_ns_[count_] = static_cast<double>(now_ns() - resumed_ns_);
  const Observation seen = context.sample(operations, live_bytes);
  samples_[count_++] = {static_cast<double>(operations), static_cast<double>(live_bytes),
                        static_cast<double>(seen.rss_bytes)};
  resumed_ns_ = now_ns();
}

void SteadySeries::report(Context& context, const Observation& freed) const {
  const std::size_t half = count_ / 2;
  double held[kSamples];
  for (std::size_t at = 0; at < count_; ++at) held[at] = samples_[at].held_bytes;
  double group_ns[kTimeGroups] = {};
  std::size_t groups = 0;
  if (const std::size_t each = count_ / kTimeGroups; each > 0)
    for (groups = 0; groups < kTimeGroups; ++groups)
      for (std::size_t at = 0; at < each; ++at) group_ns[groups] += step_ns_[groups * each + at];
  context.metric("rss_over_live_mean", mean_held_over_live(samples_ + half, count_ - half));
  context.metric("rss_over_live_peak", fragmentation_of(samples_, count_).f4);
  context.metric("rss_growth_bytes", growth_per_million_operations(samples_ + half, count_ - half));
  context.metric("rss_steady_from", steady_from(held, count_, kRssTolerance));
  context.metric("time_steady_from", steady_from(group_ns, groups, kTimeTolerance));
  context.metric("rss_after_free_bytes", static_cast<double>(freed.rss_bytes));
}

}  // namespace heapmark
