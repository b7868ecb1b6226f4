// Runs one trial whose work is a command: the whole process tree of a program, measured from outside. The
// program gets the user's environment with the allocator preloaded. Decides what a trial of a command is made
// of; the tree is kept by keeper.h.
#pragma once

#include <string>
#include <vector>

#include "harness/trial/launch.h"
#include "harness/trial/malloc_proof.h"
#include "harness/trial/tree_run.h"
#include "harness/trial/trial.h"

namespace heapmark::trial {

// `spec.command` must be there. `interrupted_fd`: readable once the tool is interrupted. Throws
// std::system_error where nothing can be started at all.
[[nodiscard]] TrialResult run_command(const TrialSpec& spec, int interrupted_fd);

// The parts of it, for a session of several (command_session.h).
// `--prepare`. False where it failed: `result` says so.
[[nodiscard]] bool prepare_command(const TrialSpec& spec, int interrupted_fd, TrialResult& result);
[[nodiscard]] Launch command_launch(const TrialSpec& spec, std::size_t padding);
// Outcome, message, notes, output and the figures of the speed pass.
void finish_command(const TrialSpec& spec, const TreeRun& run, const TreeEnding& ending,
                    const ProofBook& proofs, TrialResult& result);

// The user's environment, with the allocator's variables, LD_PRELOAD (the allocator first), what the user
// adds and `padding` bytes. "NAME=VALUE".
[[nodiscard]] std::vector<std::string> command_environment(const TrialSpec& spec, std::size_t padding);

}  // namespace heapmark::trial
