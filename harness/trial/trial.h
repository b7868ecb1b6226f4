// A trial: one workload on one allocator in a process of its own. The specification is data made by the plan,
// the result is data kept in the results file; between them stands an Executor. Failure is data here: a trial
// that crashed has a result, and what it measured before is in it.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/trial/command.h"

namespace heapmark::trial {

using Pairs = std::vector<std::pair<std::string, std::string>>;

struct TrialSpec {
  std::uint64_t id = 0;   // its place in the plan; the same plan gives the same ids
  std::string allocator;  // the label: "glibc[mmap_threshold=128K]"
  std::string preload;    // the library for LD_PRELOAD
  std::string library;    // the file in which malloc must be found, else "wrong allocator"
  Pairs environment;      // the allocator's tunables, and nothing else
  std::string workload;
  std::string variant;
  Pairs parameters;  // as `--set` takes them
  std::string pass;  // a name of workloads/contract/pass.def
  unsigned round = 0;
  std::uint64_t seed = 1;
  bool check = false;
  bool lockstep = false;                    // may be part of a lockstep session
  std::uint64_t memory_estimate_bytes = 0;  // that its process is expected to hold at most; 0: not known
  std::chrono::seconds timeout{120};
  // Pressure pass. The limit of the memory cgroup, as a share of the peak that the baseline reaches without
  // one; 0: no limit. In bytes it is known only once that was measured (cli/measure).
  double limit_share = 0;
  std::uint64_t limit_bytes = 0;
  bool finds_smallest_limit = false;  // beside a run without a limit, search for the smallest that suffices
  std::optional<Command> command;     // the work, where it is no built-in workload

  bool operator==(const TrialSpec&) const = default;
};

// Rows of numbers; a cell that was not measured is NaN. `texts` is empty or has one text a row.
struct Table {
  std::vector<std::string> columns;
  std::vector<std::vector<double>> rows;
  std::vector<std::string> texts;
  std::uint32_t dropped_rows = 0;
};

enum class Outcome {
  kOk,
  kCrashed,
  kTimedOut,
  kWrongAllocator,
  kRefused,
  kOutOfMemory,  // a request was refused that the workload needs, or the machine had no memory left
  kCgroupLimit,  // killed by the kernel at the limit of its memory cgroup
  kCheckFailed,
  kError,          // heapmark's own fault, or a result that lacks a metric
  kNotStarted,     // a command that cannot be run
  kCommandFailed,  // a command ended with another exit code than it should
  kProcessLimit,   // a command wanted more processes than it may have
  kOutputDiffers,  // a command printed something else than with the baseline
  kInterrupted,    // Ctrl-C: not recorded, the trial is done again by --resume
};

// What is known of a trial that was part of a lockstep session (session.h); its slices are the table
// "slices".
struct Lockstep {
  unsigned set = 0;                 // of the session: where its processes did not fit into memory together
  std::uint64_t slices = 0;         // that the timed part was cut into
  std::uint64_t slice_units = 0;    // units of work in a slice, the same for all processes of the session
  std::uint32_t threads = 1;        // of the workload
  std::uint64_t waited_ns = 0;      // while others had their turns
  std::optional<int> nice;          // at which it ran; absent for commands, whose processes choose their own
  std::vector<std::uint32_t> cpus;  // that all processes of the session were pinned to
  double foreign_share = 0;  // of the wall time of its slices, in which others had its CPU (docs/lockstep.md)
  double slice_ratio_median = 0;  // to the baseline; 0: no baseline in the session
  double slice_ratio_spread = 0;  // median distance of the logarithms of slice ratios from that median
};

// What a command wrote to its standard output.
struct Output {
  std::string hash;  // FNV-1a, 64 bits, hexadecimal
  std::uint64_t bytes = 0;
  bool operator==(const Output&) const = default;
};

// Under which conditions a trial of the pressure pass was run.
struct PressureFacts {
  std::string cgroup;       // "v1" or "v2"
  std::string swap;         // "file", "zram", "present" or "none"
  std::string why_no_swap;  // where none was chosen for want of something
  // Whose figures the stall shares and the bytes swapped out are: "cgroup" or "machine"; "": not measured.
  std::string stalls_of, swapped_of;
};

struct TrialResult {
  Outcome outcome = Outcome::kError;
  std::string message;                    // why, where the outcome is not ok
  std::string started;                    // UTC, ISO 8601
  double wall_seconds = 0;                // of the whole process, start to end
  std::uint64_t environment_padding = 0;  // bytes added to the environment (random, from seed and id)
  std::string malloc_library;
  std::string rss_source;
  std::uint64_t observer_bytes = 0;
  std::uint64_t baseline_rss_bytes = 0;
  std::uint64_t operations = 0;
  std::uint64_t max_rss_bytes =
      0;  // of the process, files and shared memory included (getrusage(2)); 0: not known
  std::map<std::string, double> metrics;  // NaN where the machine cannot tell
  std::map<std::string, Table> tables;
  std::vector<std::string> phases;
  std::optional<Lockstep> lockstep;
  std::optional<Output> output;    // of a command
  std::vector<std::string> notes;  // what is to be known beside the figures, in sentences
  std::optional<PressureFacts> pressure;
  // By which its times were multiplied. Where not all allocators of a round ran in one session, the baseline
  // was run again beside the others: its recorded time over its time there.
  double reference_factor = 1;
};

class Executor {
 public:
  virtual ~Executor() = default;
  // Runs the trial to its end. Throws std::system_error only where nothing can be started at all.
  virtual TrialResult run(const TrialSpec& spec) = 0;

  // Runs trials of one workload variant on several allocators in lockstep; a result each, in the same order.
  // The first chooses the length of a slice. By default they are run one after the other.
  virtual std::vector<TrialResult> run_session(const std::vector<TrialSpec>& specs) {
    std::vector<TrialResult> results;
    for (const TrialSpec& spec : specs) results.push_back(run(spec));
    return results;
  }
};

}  // namespace heapmark::trial
