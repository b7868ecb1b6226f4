// What `heapmark list` knows, as JSON for scripts (--format json); pure.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "harness/plan/selection.h"
#include "harness/plan/workload_list.h"

namespace heapmark::cli {

using json = nlohmann::ordered_json;

// Each an array in the order of the text: a row is an object with the words of the text as its keys.
[[nodiscard]] json allocators_json(const std::vector<plan::Selection>& selections);
[[nodiscard]] json passes_json();
[[nodiscard]] json workloads_json(const std::vector<plan::WorkloadInfo>& workloads);

// One object for each workload: its metrics by name.
[[nodiscard]] json metrics_json(const std::vector<plan::WorkloadInfo>& workloads);

}  // namespace heapmark::cli
