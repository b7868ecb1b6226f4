// What a run leaves behind: what was asked for, on which machine and libraries, and one record a trial. The
// results file (results_file.h) is this structure as JSON; tables, plots and verdicts are functions of it.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "harness/plan/plan.h"
#include "harness/trial/trial.h"

namespace heapmark::record {

using json = nlohmann::ordered_json;  // keys stay in the order in which they were written

struct Record {
  trial::TrialSpec spec;
  trial::TrialResult result;
  std::string host;  // the machine that measured it; ratios are only formed within one
};

// What was asked for, in the user's words, so that --resume makes the same plan again.
struct Asked {
  std::string allocators;  // "glibc,jemalloc[dirty_decay_ms=0]"
  plan::Request request;
  std::string baseline;  // a label
  double margin = 0.03;  // ratios within 1 +- margin are called equal
};

// An allocator as it was found on the machine that measured.
struct AllocatorFound {
  std::string name, label, summary, library, version, build_id, package;
  trial::Pairs tunables;
  trial::Pairs defaults;    // of those tunables: what the catalog says they are where nothing is set
  std::string skipped;      // why it was not measured, else ""
  std::string not_for_use;  // why nobody should use it, else ""
};

struct Results {
  std::string heapmark_version;
  json context;  // Google Benchmark's keys and the facts of the machine
  Asked asked;
  std::vector<AllocatorFound> allocators;                    // in the user's order
  std::map<std::string, std::vector<plan::Metric>> metrics;  // of each workload, in its own order
  std::vector<Record> records;
};

[[nodiscard]] std::string_view outcome_name(trial::Outcome outcome);
[[nodiscard]] std::optional<trial::Outcome> outcome_from(std::string_view name);

}  // namespace heapmark::record
