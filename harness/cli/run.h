// `heapmark run`: what was asked for -> a plan -> trials -> a results file -> tables.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "harness/cli/command_flags.h"
#include "harness/cli/paths.h"
#include "harness/plan/plan.h"

namespace heapmark::cli {

struct RunOptions {
  std::string allocators = "all";
  std::vector<std::string> workloads;
  std::vector<std::string> passes;
  std::string rounds;             // "6", of the speed pass, or "speed=6,memory=1"; see plan::parse_rounds
  std::vector<std::string> sets;  // "param=value"
  bool quick = false;
  bool check = false;
  std::string precision;     // "2%": no further round of an allocator on a workload that is as precise; or ""
  bool no_lockstep = false;  // the speed pass in interleaved rounds
  std::uint64_t seed = 1;
  unsigned first_round = 0;  // rounds are numbered from here
  std::string shard;         // "2/4", or ""
  std::string budget;        // "10m": no group of trials begins after it; or ""
  std::string timeout;       // "10s", of a trial; or ""
  std::string output;        // "": a dated file in the working directory
  std::string resume;        // a results file to go on with
  std::string baseline;      // "": glibc where chosen, else the first allocator
  std::string margin;        // "3%": ratios within it are called equal; "": 3 %
  std::string pressure;      // "0.9,0.7,smallest": limits of the pressure pass; ""
  std::string swap;          // of the pressure pass: trial::swap_kind_names(), or ""
  std::string swap_folder;   // where a swap file is made; ""
  bool tables = false;       // print the long tables before the closing words
  CommandOptions program;    // the work, where it is a command
  std::string command;       // as typed, for the record
};

// Those of the measured process, or the command of the request alone.
[[nodiscard]] std::vector<plan::WorkloadInfo> known_workloads(const Paths& paths,
                                                              const plan::Request& request);

// Throws UsageError.
[[nodiscard]] plan::Request request_of(const RunOptions& options);

// "90", "90s", "10m", "1.5h". Throws UsageError.
[[nodiscard]] std::chrono::seconds parse_duration(const std::string& flag, const std::string& written);

// "3%", "0.5%". Throws UsageError.
[[nodiscard]] double parse_margin(const std::string& written);

// Returns the exit code (exit_codes.h). Throws UsageError, Failure where a given library is refused, and
// record::FileInUse where another process writes the same results file.
[[nodiscard]] int run(const Paths& paths, const RunOptions& options);

}  // namespace heapmark::cli
