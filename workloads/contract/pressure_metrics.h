// The figures that the pressure pass adds to every workload: harness/trial measures them from outside, and
// the plan asks for them. Those of no pass are told only by some of its trials: a limit by the limited ones,
// the peak and the smallest limits by the ones without.
#pragma once

#include "workloads/contract/metric.h"
#include "workloads/contract/pass.h"

namespace heapmark {

inline constexpr MetricInfo kPressureMetrics[] = {
    {"limit_bytes", "bytes", Better::kNeither, 0, false, "the limit of the memory cgroup"},
    {"cgroup_peak_bytes", "bytes", Better::kLower, 0, true,
     "most memory that the cgroup held without a limit: the process, its page tables, its report"},
    {"smallest_limit_bytes", "bytes", Better::kLower, 0, true,
     "smallest limit at which the work completes with swap, within five times its time without a limit"},
    {"smallest_limit_no_swap_bytes", "bytes", Better::kLower, 0, true,
     "the same where nothing may be swapped out"},
    {"oom_reliefs", "count", Better::kNeither, 0, false,
     "times that the kernel found no memory although there was some to swap out, and was made to look again"},
    {"swapped_out_bytes", "bytes", Better::kLower, kPressure, true,
     "written to swap during the trial, by the cgroup or (where the kernel does not tell) by the machine"},
    {"memory_stall_share", "ratio", Better::kLower, kPressure, true,
     "share of the wall time in which some thread waited for memory (PSI \"some\"), of the cgroup or the "
     "machine"},
    {"memory_full_stall_share", "ratio", Better::kLower, kPressure, false,
     "the same in which all threads waited (PSI \"full\")"},
};

}  // namespace heapmark
