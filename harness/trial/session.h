// A lockstep session: one process for each trial given, all of one workload variant, started and filled one
// after the other and then run slice by slice, in an order drawn anew for each slice. A process that fails
// leaves the session; the others go on. Decides the order; the summary of the slices is stats/session.h's.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/trial/trial.h"

namespace heapmark::trial {

// Runs the trials, which must be at least one; specs.front() chooses the length of a slice. Results come in
// the order of `specs`. A trial's `timeout` limits the time of its own turns. `interrupted_fd`: readable once
// the tool is interrupted; all trials then end as kInterrupted. Throws std::system_error where nothing can be
// started at all.
[[nodiscard]] std::vector<TrialResult> run_session(const std::string& host_program,
                                                   const std::vector<TrialSpec>& specs, int interrupted_fd);

}  // namespace heapmark::trial
