// What the measured process says it can do (`heapmark-host describe`): workloads with their parameters,
// standard variants and metrics. The harness knows no workload by name but for what it reads here.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/trial/trial.h"

namespace heapmark::plan {

struct Metric {
  std::string name, unit, better, help;  // better: "lower", "higher", "neither"
  std::vector<std::string> passes;       // empty: only where the allocator can tell
  bool headline = false;
};

struct WorkloadParameter {
  std::string name, kind, default_value, choices, help;
  double min = 0, max = 0;
};

struct WorkloadVariant {
  std::string name;
  std::vector<std::string> passes;
  std::string sets, quick_sets;                   // "name=value,name=value"
  std::string ledger_sets = {}, speed_sets = {};  // the same, in these passes without --quick
  // Of a trace (plan/traces.h). `word`: of `-w` that names it. `fixed`: parameters that nobody sets.
  std::string word = {};
  trial::Pairs fixed = {};
  std::uint64_t live_bytes = 0, own_bytes = 0;   // at most: the program's, and the replay's for its tables
  std::chrono::seconds timeout{0}, duration{0};  // for one time at full pace; of the recording
};

struct WorkloadInfo {
  std::string name, group, summary;  // group: a name for all workloads of one folder
  std::vector<WorkloadParameter> parameters;
  std::vector<WorkloadVariant> variants;
  std::vector<Metric> metrics;  // its own, then the common ones, the ledger's and the pressure pass's
};

// Parses the output of `describe`; throws std::runtime_error with the place where it is not as expected.
[[nodiscard]] std::vector<WorkloadInfo> parse_workloads(std::string_view describe_json);

// The metrics that must be in a trial's result for this variant and pass.
[[nodiscard]] std::vector<const Metric*> expected_metrics(const WorkloadInfo& workload,
                                                          std::string_view pass);

}  // namespace heapmark::plan
