// A command as a workload: its name, its passes and its figures, in the shape in which the measured process
// describes built-in ones, so that plans, statistics and views need not know the difference. Pure.
#pragma once

#include <string>

#include "harness/plan/workload_list.h"
#include "harness/trial/command.h"

namespace heapmark::plan {

// The name of the work in tables: `name` where given, else the base name of the program. Throws UsageError
// for a name that cannot stand in a table or a file of results.
[[nodiscard]] std::string command_name(const trial::Command& command, const std::string& name);

// One workload with one variant, "command", that takes part in every pass in which a command can be measured.
[[nodiscard]] WorkloadInfo command_workload(const trial::Command& command, const std::string& name);

}  // namespace heapmark::plan
