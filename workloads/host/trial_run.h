// One trial inside the measured process: proves which malloc it runs on, prepares, takes the baseline, runs
// the workload and writes the common figures into the report. Owns the state behind workloads/context.h.
#pragma once

#include "workloads/contract/report.h"
#include "workloads/host/arguments.h"

namespace heapmark::host {

// Runs the trial whose figures go to `report`. Returns when the workload is over; a workload that fails ends
// the process by itself (Context::fail).
void run_trial(const Arguments& arguments, Report& report);

}  // namespace heapmark::host
