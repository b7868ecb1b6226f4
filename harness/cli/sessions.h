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
  std::function<std::uint64_t(const trial::TrialSpec&)> bytes_of;
};

// A result for each of `open`, sessions first. `say` gets a sentence where the trials do not form one
// session.
[[nodiscard]] std::vector<Measured> measure_sessions(const SessionInput& input, trial::Executor& executor,
                                                     const std::function<void(const std::string&)>& say);

// What the process of a trial will hold at most: a quarter more than what an earlier trial of the same work
// held, where the results have one, else the plan's estimate.
[[nodiscard]] std::uint64_t expected_bytes(const record::Results& results, const trial::TrialSpec& spec);

}  // namespace heapmark::cli
