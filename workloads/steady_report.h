// What every workload of the groups patterns and classic reports beside its time: what a live byte costs and
// what is still held once everything is freed. From when on memory and time stopped drifting the harness
// computes (harness/stats/steadiness.h) from samples and slices. Samples are taken in the memory pass alone.
#pragma once

#include <cstddef>
#include <cstdint>

#include "workloads/context.h"
#include "workloads/fragmentation.h"

namespace heapmark {

inline constexpr MetricInfo kSteadyMetrics[] = {
    {"rss_over_live_mean", "ratio", Better::kLower, kMemory, true,
     "mean resident over mean live bytes of the second half: what a live byte costs"},
    {"rss_over_live_peak", "ratio", Better::kLower, kMemory, false,
     "most resident memory over most live bytes, of what was sampled (F4 of Johnstone and Wilson)"},
    {"rss_growth_bytes", "bytes", Better::kNeither, kMemory, false,
     "growth of resident memory per million operations in the second half (least squares)"},
    {"rss_steady_from", "ratio", Better::kNeither, kMemory, true,
     "share of the work after which the resident memory of each twentieth stays within 2 % of the last "
     "quarter's mean"},
    {"time_steady_from", "ratio", Better::kNeither, kMemory | kSpeed, true,
     "share of the work after which the time of each twentieth stays within 10 % of the last quarter's mean"},
    {"rss_after_free_bytes", "bytes", Better::kLower, kMemory, true,
     "resident above the start once everything is freed"},
};

// The same and a workload's own, for its table.
template <std::size_t N>
struct MetricTable {
  MetricInfo rows[N];
};
template <std::size_t N>
constexpr auto with_steady_metrics(const MetricInfo (&own)[N]) {
  constexpr std::size_t kSteady = sizeof kSteadyMetrics / sizeof kSteadyMetrics[0];
  MetricTable<kSteady + N> table{};
  for (std::size_t at = 0; at < kSteady; ++at) table.rows[at] = kSteadyMetrics[at];
  for (std::size_t at = 0; at < N; ++at) table.rows[kSteady + at] = own[at];
  return table;
}

// The samples of one trial.
class SteadySeries {
 public:
  static constexpr std::size_t kSamples = 400;
  static constexpr std::size_t kRegular = 200;  // that the team takes by itself
  void prepare(Context& context);               // in prepare(); maps nothing outside the memory pass
  void add(Context& context, std::uint64_t operations, std::uint64_t live_bytes);
  // The metrics of kSteadyMetrics that are of memory alone; `freed`: seen once everything is freed.
  void report(Context& context, const Observation& freed) const;

 private:
  HeapSample* samples_ = nullptr;
  std::size_t count_ = 0;
};

}  // namespace heapmark
