// The ledger pass of a command: its whole process tree under ptrace and a seccomp filter, through forks and
// execs, with a look at each process just before it ends. Everything is traced, so that nothing outlives the
// tracer (PTRACE_O_EXITKILL), and no keeper is needed.
#pragma once

#include "harness/trial/launch.h"
#include "harness/trial/trial.h"

namespace heapmark::trial {

// Fills `result`. Throws std::system_error where it cannot be started.
void run_command_ledger(const TrialSpec& spec, Launch launch, int interrupted_fd, TrialResult& result);

}  // namespace heapmark::trial
