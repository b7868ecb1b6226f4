// Measures the trials of one round of a workload variant in the speed pass: forms sessions of them, has them
// run, and turns slices into figures. Above it, measure.h records what comes out; below, plan/session_sets.h
// says who shares a session and stats/session.h what slices amount to.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "harness/record/record.h"
#include "harness/trial/trial.h"

namespace heapmark::cli {

struct Measured {
  trial::TrialSpec spec;
  trial::TrialResult result;
};

struct SessionInput {
  std::vector<trial::TrialSpec> open;        // still to be measured
  std::optional<trial::TrialSpec> baseline;  // of the same round, measured already or among `open`
  std::optional<double> baseline_ns_per_op;  // where it was measured already
  std::uint64_t available_bytes = 0;
};

// A result for each of `open`, sessions first. `say` gets a sentence where the trials do not form one
// session.
[[nodiscard]] std::vector<Measured> measure_sessions(const SessionInput& input, trial::Executor& executor,
                                                     const std::function<void(const std::string&)>& say);

// Sets what the process of a trial is expected to hold, from the earlier trials of its allocator on the same
// workload variant that ended well, whatever their pass: a quarter more than the most that one of them held.
// Leaves the plan's estimate where none says.
void expect_memory(const record::Results& results, trial::TrialSpec& spec);

}  // namespace heapmark::cli
