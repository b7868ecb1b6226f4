// Commands in lockstep: one process tree for each allocator, of which one runs for a short turn while all
// others are stopped, in an order drawn anew for each round of turns, so that load and drift of the machine
// meet all alike. For commands that compute and wait for nobody: what waits for a clock, a disk or another
// program goes on while it is stopped. Above: process_executor.cc.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <vector>

#include "harness/trial/trial.h"

namespace heapmark::trial {

inline constexpr std::chrono::milliseconds kTurn{20};

// Runs the trials, at least one, all of the same command; results in the same order. The time of a trial is
// that of its own turns, and so is its limit. Throws std::system_error where nothing can be started at all.
[[nodiscard]] std::vector<TrialResult> run_command_session(const std::vector<TrialSpec>& specs,
                                                           int interrupted_fd);

// SIGSTOP to every process below `keeper`, until all that there are have it; SIGCONT to all.
void stop_tree(pid_t keeper);
void continue_tree(pid_t keeper);

}  // namespace heapmark::trial
