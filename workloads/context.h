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
  const char* text(const char* name) const;  // as it was written

  std::uint64_t seed() const;
  Pass pass() const;
  bool checking() const;  // --check: fill and verify blocks

  // prepare() only: zeroed, pre-faulted memory that is not malloc's; counted as the observer's.
  void* own_memory(std::size_t bytes);
  // prepare() only: declares a table; rows beyond max_rows are counted as dropped. Column names are copied.
  int open_table(const char* name, std::initializer_list<const char*> columns, std::uint32_t max_rows,
                 bool with_texts = false);

  // prepare() only: threads that run() has at work at one time; 1 where it does not say so.
  void uses_threads(std::uint32_t threads);

  // run() only. The timed part is a fixed number of units of work, numbered from 0: a unit is whatever the
  // workload can stop after. In a lockstep session the timed part is cut into slices of equal numbers of
  // units.
  //   start_clock  begins the timed part of `units` units; an estimate will do
  //   slice        `done` units are done and all threads of the workload stand still: to be called at each
  //                number of units that next_cut() named, and harmless at any other
  //   stop_clock   ends the timed part
  // In a session the first two and the last return when it is this process's turn.
  void start_clock(std::uint64_t units);
  void slice(std::uint64_t done) {
    if (done >= next_cut_) [[unlikely]]
      end_slice(done);
  }
  [[nodiscard]] std::uint64_t next_cut() const { return next_cut_; }
  void stop_clock(std::uint64_t done, std::uint64_t operations);
  // Between these two the timed part stands still, in the time, the CPU time and the counters of a slice, and
  // so do the clocks that the allocator reads: for what a workload must do for itself in between. By one
  // thread, while the others sleep; slice() not meanwhile.
  void pause_clock();
  void resume_clock();
  Observation observe();  // a few microseconds; allocates nothing
  // Has the kernel page out what the allocator took, where the machine has swap. Returns the share of it that
  // is in memory still, about 0 where all went well; kNotMeasured where there is no swap.
  double page_out();
  void phase(const char* name);  // marks the ledger and the sample rows that follow
  void add_row(int table, std::initializer_list<double> cells, const char* text = nullptr);
  void metric(const char* name, double value);

  // The memory pass calls for a sample every so many operations; in every other pass sample() does nothing.
  bool sampling() const;
  // Without `live_bytes` where the workload does not count them: the cell is then not measured.
  Observation sample(std::uint64_t operation, std::uint64_t live_bytes);
  Observation sample(std::uint64_t operation);

  // Ends the process; what was reported stays. `message` says what the user can do.
  [[noreturn]] void fail(Outcome outcome, const char* message);

 private:
  void end_slice(std::uint64_t done);
  Observation add_sample(std::uint64_t operation, double live_bytes);

  std::uint64_t next_cut_ = ~std::uint64_t{0};  // never
};

// A file's workload becomes known by one line at its end: HEAPMARK_WORKLOAD(kChurn);
// `group` is the folder that the file lies in (set by workloads/CMakeLists.txt).
void register_workload(const Workload& workload, const char* group);
#define HEAPMARK_WORKLOAD(workload)                               \
  [[gnu::constructor]] static void register_this_workload() {     \
    ::heapmark::register_workload(workload, HEAPMARK_GROUP_NAME); \
  }

}  // namespace heapmark
