// What a workload tells through workloads/context.h becomes tables, phases and metrics of the report: finds
// their room in its fixed arrays, and ends the process where there is none. Does not know what the figures
// mean. Above: trial_run.cc. Below: contract/report.h.
#pragma once

#include "workloads/contract/report.h"

namespace heapmark::host {

// Where it all goes from now on; `report` must stay.
void write_into(Report& report);

// Cut where it is too long.
void copy_name(char (&to)[kNameSize], const char* from);

// A line on standard error, then exit code 2.
[[noreturn]] void defect_of_workload(const char* what, const char* name);

}  // namespace heapmark::host
