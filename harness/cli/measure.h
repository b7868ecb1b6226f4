// Works through a plan: runs each trial that the results file does not have yet and adds it at once, so that
// nothing measured is lost whatever happens next. Decides nothing about what is measured or shown.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "harness/plan/selection.h"
#include "harness/plan/workload_list.h"
#include "harness/record/results_file.h"
#include "harness/trial/trial.h"
#include "harness/view/progress.h"

namespace heapmark::cli {

enum class End { kComplete, kInterrupted, kBudgetUsed };

using Clock = std::chrono::steady_clock;

// Whether a failed trial is one of the allocator's known failures (KnownFailure).
[[nodiscard]] const plan::KnownFailure* known_failure(const record::Record& record,
                                                      const std::vector<plan::Selection>& selections);

// Trials that can run in lockstep (TrialSpec::lockstep) are measured in sessions (sessions.h), the others one
// by one. `available_bytes` says how much memory a session may count on; without it, as much as is wanted.
//
// A trial that ended well but lacks a metric its workload declares is recorded as an error: such a result
// would look complete and is not. After `deadline` no further group is begun: a group (one round of one
// workload variant in one pass) is measured whole or not at all. Throws std::system_error where the results
// file cannot be written.
[[nodiscard]] End measure(const std::vector<trial::TrialSpec>& plan,
                          const std::vector<plan::WorkloadInfo>& workloads, trial::Executor& executor,
                          record::ResultsFile& file, view::Progress& progress,
                          std::optional<Clock::time_point> deadline = std::nullopt,
                          const std::function<std::uint64_t()>& available_bytes = {});

}  // namespace heapmark::cli
