// What a figure is: its name, its unit, and in which direction it is better. Workloads and the host declare
// their figures as rows of MetricInfo; the harness reads them from `heapmark-host describe`.
#pragma once

#include <cstdint>
#include <string_view>

namespace heapmark {

enum class Better : std::uint8_t { kLower, kHigher, kNeither };

// The words for it in results files and in `describe`.
constexpr const char* better_name(Better better) {
  return better == Better::kLower ? "lower" : better == Better::kHigher ? "higher" : "neither";
}

// Units in use: "bytes", "ns", "s", "count", "ratio", "1/s" (operations) and "1/MiB" (of live bytes).
constexpr bool is_time(std::string_view unit) {
  return unit == "ns" || unit == "s" || unit == "1/s";
}

// One row: a figure that the workload reports. In each of `passes` that its variant takes part in, a trial
// that ended well must report it (as kNotMeasured where this machine cannot tell): a missing one fails the
// trial. passes == 0: reported only where the allocator can tell. `headline` figures stand in the terminal's
// main table.
struct MetricInfo {
  const char* name;  // snake_case, unit at the end: "rss_after_free_bytes"
  const char* unit;
  Better better;
  unsigned passes;
  bool headline;
  const char* help;  // what it is and its source, one line
};

}  // namespace heapmark
