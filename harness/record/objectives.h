// What tuning optimizes: time, memory, faults and refused requests, each as one ratio to the baseline over
// all workloads. Pure: a function of the records.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/record/record.h"
#include "harness/stats/summary.h"

namespace heapmark::record {

struct ObjectiveInfo {
  std::string name, help;
};

// time, rss, faults, failed.
[[nodiscard]] const std::vector<ObjectiveInfo>& objectives();

struct PlaceRatio {
  std::string workload, variant, metric;
  std::optional<stats::Summary> ratio;  // absent where none can be formed
};

// The geometric mean over the workload variants of the ratio to the baseline within a round of one host,
// summarized over the rounds. A count c (of refused requests) is taken as c + 1, so that none is no division
// by zero.
struct Overall {
  std::string allocator, objective;
  std::size_t rounds = 0;                 // in which every workload variant could be compared
  std::optional<stats::Summary> summary;  // absent where there was no such round
  std::vector<PlaceRatio> places;
};

// In the order of the allocators, then of objectives(); of those objectives alone that some record measures.
// Only trials that ended well count; `failed_trials` below tells of the others.
[[nodiscard]] std::vector<Overall> overall_of(const Results& results);

// {"LABEL": {"environment": {...}, "tunables": {...}, "failed_trials": 0, "failure": "...",
//            "objectives": {"time": {"median":, "low":, "high":, "rounds":, "places": [...]}}}}
[[nodiscard]] json objectives_json(const Results& results);

}  // namespace heapmark::record
