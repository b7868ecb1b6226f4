// A look at libraries that were given by their path, before they get figures: about a second of work in which
// every block is filled, and verified before it is freed. One that hands out a block twice, misaligned, or
// changes a block would otherwise look fast. What else may be wrong with a library shows in its trials.
#pragma once

#include <string>
#include <vector>

#include "harness/plan/selection.h"
#include "harness/trial/trial.h"

namespace heapmark::cli {

// The trials of the check for one selection; pure.
[[nodiscard]] std::vector<trial::TrialSpec> check_trials(const plan::Selection& selection);

// Checks each selection that was given by its path and is not skipped, a library once. Throws Failure
// (kLibraryRefused) that says what the library did.
void check_given_libraries(const std::vector<plan::Selection>& selections, trial::Executor& executor);

// A sentence for each two libraries given by their paths under two names that are one and the same, with the
// same tunables: old and new, mixed up.
[[nodiscard]] std::vector<std::string> same_libraries(const std::vector<plan::Selection>& selections);

}  // namespace heapmark::cli
