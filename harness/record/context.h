// The `context` of a results file: Google Benchmark's keys and the facts of the machine that distort the
// figures.
#pragma once

#include <string>

#include "harness/machine/machine.h"
#include "harness/record/record.h"

namespace heapmark::record {

// `command` is what the user typed. A fact that could not be read is null.
[[nodiscard]] json context_of(const machine::Machine& machine, const std::string& executable,
                              const std::string& command, const std::string& git_revision);

}  // namespace heapmark::record
