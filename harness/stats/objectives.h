// What tuning optimizes: time, memory, faults and refused requests, each as one ratio to the baseline over
// all workloads. Pure: a function of the records.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/record/record.h"
#include "harness/stats/summary.h"

namespace heapmark::stats {

struct ObjectiveInfo {
  std::string name, help;
};

// time, rss, faults, failed, p999, pressure_time.
[[nodiscard]] const std::vector<ObjectiveInfo>& objectives();

struct PlaceRatio {
  std::string workload, variant, metric;
  std::optional<Summary> ratio;  // absent where none can be formed
};

// The geometric mean over the workload variants of the ratio to the baseline within a round of one host,
// summarized over the rounds. A count c (of refused requests) is taken as c + 1, so that none is no division
// by zero.
struct Overall {
  std::string allocator, objective;
  std::size_t rounds = 0;          // in which every workload variant could be compared
  bool complete = false;           // every workload variant that the baseline ran could be compared
  std::optional<Summary> summary;  // absent where there was no such round
  std::vector<PlaceRatio> places;
};

// `objective`: one of objectives(), or "left": what is resident once everything is freed, after the idle time
// where a workload has one. Not complete and without a summary where one of the two has no such record.
[[nodiscard]] Overall overall_between(const record::Results& results, const std::string& objective,
                                      const std::string& label, const std::string& baseline);
[[nodiscard]] Kind kind_of_objective(std::string_view objective);

// In the order of the allocators, then of objectives(); of those objectives alone that some record measures.
// Only trials that ended well count; `failed_trials` below counts the others.
[[nodiscard]] std::vector<Overall> overall_of(const record::Results& results);

// {"LABEL": {"environment": {...}, "tunables": {...}, "failed_trials": 0, "failure": "...",
//            "objectives": {"time": {"median":, "low":, "high":, "rounds":, "places": [...]}}}}
[[nodiscard]] record::json objectives_json(const record::Results& results,
                                           const std::vector<Overall>& overalls);

}  // namespace heapmark::stats
