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

// What doctor prints; pure. `missing_parts`: files of heapmark's own that are not beside the program.
[[nodiscard]] std::string doctor_text(const machine::Machine& machine,
                                      const std::vector<plan::Selection>& selections,
                                      const std::vector<std::string>& missing_parts);

}  // namespace heapmark::cli
