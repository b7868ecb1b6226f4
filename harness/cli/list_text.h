// The texts of `heapmark list`, made from what is known; pure.
#pragma once

#include <string>
#include <vector>

#include "harness/plan/selection.h"
#include "harness/plan/workload_list.h"

namespace heapmark::cli {

// An allocator a paragraph: the file found with its version or what to install, then its tunables.
[[nodiscard]] std::string allocators_text(const std::vector<plan::Selection>& selections);

// A pass a row: its question, how it is answered, and its rounds.
[[nodiscard]] std::string passes_text();

// A workload a paragraph: its variants with their passes, then its parameters.
[[nodiscard]] std::string workloads_text(const std::vector<plan::WorkloadInfo>& workloads);

// First the metrics that every workload has, then each workload's own; a star marks the main table's.
[[nodiscard]] std::string metrics_text(const std::vector<plan::WorkloadInfo>& workloads);

}  // namespace heapmark::cli
