// The latency pass, in the measured process: times every call that a workload makes of the allocator
// (workloads/calls.h), counts it in logarithmic buckets by operation and size class, and looks into the slow
// ones.
//
// What happened inside a call is told from the thread's counters of faults and context switches, which are
// read only where something slow has happened: after a slow call, and before a call that a slow stretch of
// the workload preceded. What took less than half the time of the quickest page fault holds no fault, so the
// counters are then as they were. The observer thus stays out of quick calls.
#pragma once

#include <cstdint>

#include "workloads/context.h"

namespace heapmark::host {

// A call of more than this is a stall.
inline constexpr std::uint64_t kStallNs = 100'000;

// Before the workload's own prepare(): maps the buckets, opens the tables, calibrates the clock.
void prepare_call_timing(Context& context);
// `threads`: that the workload uses at one time. Where there is one, changes of the address space are
// looked at too: they are the process's, and with several threads it could not be said whose.
void start_call_timing(std::uint32_t threads);
void stop_call_timing();
// Fills the tables and reports the metrics of the pass.
void report_call_timing(Context& context);

}  // namespace heapmark::host
