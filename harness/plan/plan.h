// What is to be measured, as an ordered list of trials. Pure: the same request gives the same list, on which
// --resume and sharding rely. In each round the allocators of a workload variant stand side by side in an
// order drawn from the seed, so that a drift of the machine meets all of them alike.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/plan/pressure_limits.h"
#include "harness/plan/rounds.h"
#include "harness/plan/selection.h"
#include "harness/plan/workload_list.h"
#include "harness/trial/trial.h"

namespace heapmark::plan {

// One of several parts of a plan, for one of several machines: part `index` (from 1) of `count`. A part holds
// whole groups (a round of one workload variant in one pass, all allocators), so that every ratio is of one
// host.
struct Shard {
  unsigned index = 1, count = 1;
  bool operator==(const Shard&) const = default;
};

// "2/4". Throws UsageError.
[[nodiscard]] Shard parse_shard(std::string_view written);

struct Request {
  // "churn" (all variants), "churn/small-4t", "patterns" (a group), "trace:FILE", "all"; empty: kDefaultGroup
  std::vector<std::string> workloads;
  std::vector<std::string> passes;  // empty: those done by default; "all": every one
  Rounds rounds = default_rounds(false);
  trial::Pairs sets;  // applied to every workload that has the parameter
  std::uint64_t seed = 1;
  unsigned first_round =
      0;  // rounds are numbered from here: runs that are to be merged must not share a number
  Shard shard;
  std::chrono::seconds timeout{0};  // of a trial; 0: long enough for any that is not stuck
  bool quick = false;
  bool check = false;
  bool lockstep = true;                   // the speed pass in lockstep sessions; false: in interleaved rounds
  std::optional<trial::Command> command;  // the work is this, and `workloads` is empty
  std::string command_name;               // in tables; "": the program's base name
  // Half-width of the interval of its time at which an allocator gets no further rounds of the speed pass on
  // a workload variant (stats/precision.h); 0: all rounds are done. The plan is the same: what need not be
  // done is left out when it comes up.
  double precision = 0;
  PressureLimits pressure;  // of the pressure pass
  std::string swap;  // a name of trial::swap_kind_names(), or "": what the machine has, else a file as root
};

// Where the work is a command, `workloads` is command_workload() alone.
// Throws UsageError for a workload, variant, pass or parameter that is not known ("did you mean"), for a
// value out of range, and where nothing is left to do. Skipped selections get no trials.
[[nodiscard]] std::vector<trial::TrialSpec> make_plan(const Request& request,
                                                      const std::vector<Selection>& selections,
                                                      const std::vector<WorkloadInfo>& workloads);

}  // namespace heapmark::plan
