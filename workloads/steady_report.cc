// See steady_report.h.
#include "workloads/steady_report.h"

namespace heapmark {

void SteadySeries::prepare(Context& context) {
  if (!context.sampling()) return;
  samples_ = static_cast<HeapSample*>(context.own_memory(sizeof(HeapSample) * kSamples));
}

void SteadySeries::add(Context& context, std::uint64_t operations, std::uint64_t live_bytes) {
  if (samples_ == nullptr || count_ == kSamples) return;
  const Observation seen = context.sample(operations, live_bytes);
  samples_[count_++] = {static_cast<double>(operations), static_cast<double>(live_bytes),
                        static_cast<double>(seen.rss_bytes)};
}

void SteadySeries::report(Context& context, const Observation& freed) const {
  const std::size_t half = count_ / 2;
  context.metric("rss_over_live_mean", held_over_live_in_all(samples_ + half, count_ - half));
  context.metric("rss_over_live_peak", fragmentation_of(samples_, count_).f4);
  context.metric("rss_growth_bytes", growth_per_million_operations(samples_ + half, count_ - half));
  context.metric("rss_after_free_bytes", static_cast<double>(freed.rss_bytes));
}

}  // namespace heapmark
