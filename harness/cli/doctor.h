// `heapmark doctor`: what in this machine distorts the figures, why, and how to fix each.
#pragma once

#include <string>
#include <vector>

#include "harness/cli/paths.h"
#include "harness/machine/machine.h"
#include "harness/plan/selection.h"

namespace heapmark::cli {

// Prints to stdout and returns 0: a finding is an answer, not a failure.
int doctor(const Paths& paths);

// What the pressure pass needs, and how to provide what is missing; pure. Each text: why there is none, ""
// where there is.
[[nodiscard]] std::vector<machine::Finding> pressure_findings(const std::string& why_no_cgroup,
                                                              const std::string& why_no_stalls, bool has_swap,
                                                              const std::string& why_no_swap_file);

// What doctor prints; pure. `missing_parts`: files of heapmark's own that are not beside the program;
// `more`: findings of others.
[[nodiscard]] std::string doctor_text(const machine::Machine& machine,
                                      const std::vector<plan::Selection>& selections,
                                      const std::vector<std::string>& missing_parts,
                                      const std::vector<machine::Finding>& more = {});

}  // namespace heapmark::cli
