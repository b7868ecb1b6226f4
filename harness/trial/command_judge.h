// What became of a command, in the words of a trial's result. Pure.
#pragma once

#include "harness/trial/malloc_proof.h"
#include "harness/trial/tree_run.h"
#include "harness/trial/trial.h"

namespace heapmark::trial {

// Sets outcome, message and notes from how the command ended.
void judge_command(const TrialSpec& spec, const TreeEnding& ending, TrialResult& result);

// A process that lost the preloaded library makes every figure of the tree doubtful: the trial fails. One
// that runs on its own malloc is named. After judge_command().
void judge_proofs(const TrialSpec& spec, const ProofBook& proofs, TrialResult& result);

}  // namespace heapmark::trial
