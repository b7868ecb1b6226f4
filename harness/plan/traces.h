// Recorded traces as work: `-w trace:FILE` makes each file a variant of the workload that replays traces,
// named after the file. What is in a file is asked through an interface: the answers of this machine are in
// harness/cli/known.h, made-up ones in tests. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "harness/plan/workload_list.h"

namespace heapmark::plan {

// The group of the workload that replays traces, and what stands in front of a file's name.
inline constexpr std::string_view kTraceGroup = "trace";
inline constexpr std::string_view kTracePrefix = "trace:";

// What a plan must know of a trace.
struct TraceFacts {
  std::string file;      // absolute path
  std::string checksum;  // of its header, hexadecimal: another trace has another one
  std::uint64_t events = 0, threads = 0;
  std::uint64_t max_live_bytes = 0, max_live_objects = 0;
  std::chrono::seconds duration{0};  // of the recording
};

class Traces {
 public:
  virtual ~Traces() = default;
  // Throws where there is no such file, or it is no whole trace that holds anything; the message names it.
  [[nodiscard]] virtual TraceFacts read(const std::string& path) const = 0;
};

// Whether a word of `-w` names a trace.
[[nodiscard]] bool names_trace(std::string_view word);

// `workloads`, of which the one that replays has a variant for each word of `asked` that names a trace, and
// no other. Throws UsageError for two traces of one name, and what Traces::read throws.
[[nodiscard]] std::vector<WorkloadInfo> with_traces(std::vector<WorkloadInfo> workloads,
                                                    const std::vector<std::string>& asked,
                                                    const Traces& traces);

// The checksum of the trace among the parameters of a trial; "" where it replays none.
[[nodiscard]] std::string trace_of(const trial::Pairs& parameters);

}  // namespace heapmark::plan
