// Parameters that most workloads of the groups patterns and classic have, declared in one way: sizes, live
// bytes, threads and operations, all threads together where it says nothing else.
#pragma once

#include "workloads/team.h"
#include "workloads/workload.h"

namespace heapmark {

constexpr Parameter sizes_parameter(const char* by_default) {
  return {
      "sizes", Kind::kSizes, by_default, "", 0, 0, "of the requests: one size, a range or a histogram file"};
}
constexpr Parameter live_parameter(const char* by_default) {
  return {"live", Kind::kBytes, by_default, "", 1024, 1e12, "live bytes aimed at, all threads together"};
}
constexpr Parameter threads_parameter(const char* by_default = "1") {
  return {"threads", Kind::kCount, by_default, "", 1, kMaxTeam, "threads that share the work"};
}
constexpr Parameter operations_parameter(const char* by_default) {
  return {"operations",
          Kind::kCount,
          by_default,
          "",
          1,
          1e12,
          "calls in the timed part, about, all threads together"};
}

// All calls of a team go through calls.h, so the latency pass makes sense of every workload on it.
inline constexpr unsigned kUsualPasses = kSpeed | kMemory | kLedger | kLatency | kPressure;

inline std::uint32_t threads_of(Context& context) {
  return static_cast<std::uint32_t>(context.count("threads"));
}
// Units of each thread where a unit is `calls` calls; at least one.
inline std::uint64_t units_of(Context& context, std::uint32_t threads, std::uint64_t calls) {
  const std::uint64_t units = context.count("operations") / threads / calls;
  return units > 0 ? units : 1;
}

}  // namespace heapmark
