// What a workload may use: its parameters, memory of its own that is not malloc's, the clock, and the figures
// it reports. Implemented by workloads/host. Nothing here calls malloc. One Context a process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "workloads/contract/report.h"
#include "workloads/workload.h"

namespace heapmark {

// What the kernel says of this process now. RSS is net: the observer's own pages are subtracted.
struct Observation {
  std::uint64_t time_ns;        // CLOCK_MONOTONIC
  std::uint64_t rss_bytes;      // above the baseline taken just before the workload
  std::uint64_t virtual_bytes;  // above the baseline
  std::int64_t break_offset;    // program break, relative to where it was at the baseline
  std::uint64_t minor_faults;   // since the baseline
  std::uint64_t major_faults;
};

class Context {
 public:
  // Parameters, parsed and range-checked before prepare(). Asking for one that the workload does not declare
  // ends the process with a message.
  std::uint64_t count(const char* name) const;  // kCount, kBytes, kSeconds (whole)
  double number(const char* name) const;        // kShare and any other number
  bool chosen(const char* name, const char* choice) const;

  std::uint64_t seed() const;
  Pass pass() const;
  bool checking() const;  // --check: fill and verify blocks

  // prepare() only: zeroed, pre-faulted memory that is not malloc's; counted as the observer's.
  void* own_memory(std::size_t bytes);
  // prepare() only: declares a table; rows beyond max_rows are counted as dropped. Column names are copied.
  int open_table(const char* name, std::initializer_list<const char*> columns, std::uint32_t max_rows,
                 bool with_texts = false);

  // run() only.
  void start_clock();  // begins the timed part; also takes fault and CPU baselines
  void stop_clock(std::uint64_t operations);
  Observation observe();         // a few microseconds; allocates nothing
  void phase(const char* name);  // marks the ledger and the sample rows that follow
  void add_row(int table, std::initializer_list<double> cells, const char* text = nullptr);
  void metric(const char* name, double value);

  // The memory pass calls for a sample every so many operations; in every other pass sample() does nothing.
  bool sampling() const;
  Observation sample(std::uint64_t operation, std::uint64_t live_bytes);

  // Ends the process; what was reported stays. `message` says what the user can do.
  [[noreturn]] void fail(Outcome outcome, const char* message);
};

// A file's workload becomes known by one line at its end: HEAPMARK_WORKLOAD(kChurn);
void register_workload(const Workload& workload);
#define HEAPMARK_WORKLOAD(workload)                           \
  [[gnu::constructor]] static void register_this_workload() { \
    ::heapmark::register_workload(workload);                  \
  }

}  // namespace heapmark
