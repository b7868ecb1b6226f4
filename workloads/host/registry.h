// The workloads linked into this program; each file registers its own (HEAPMARK_WORKLOAD).
#pragma once

#include "workloads/workload.h"

namespace heapmark::host {

inline constexpr std::size_t kMaxWorkloads = 96;

std::size_t workload_count();
const Workload& workload_at(std::size_t index);  // in order of name
const char* group_at(std::size_t index);         // the folder that its file lies in
const Workload* find_workload(const char* name);

// Figures that the host reports for every workload.
Rows<MetricInfo> common_metrics();

}  // namespace heapmark::host
