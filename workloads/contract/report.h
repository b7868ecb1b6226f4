// The report: one shared mapping (a memfd) through which the measured process tells its parent what it saw.
// Plain structs, so that whatever was written before a crash can still be read. The measured process maps it
// pre-faulted and only stores into it; the parent reads it after the child has ended (and, for the ledger
// pass, reads `stage` while it runs). Both sides include this header and nothing else of each other.
//
// A cell that was not measured is NaN, never 0.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "workloads/contract/outcome.h"

namespace heapmark {

inline constexpr std::uint64_t kReportMagic = 0x6b72616d70616568;  // "heapmark", little endian
inline constexpr std::uint32_t kReportVersion = 2;
inline constexpr double kNotMeasured = std::numeric_limits<double>::quiet_NaN();

// How far the measured process got. Order matters: the parent compares with >=.
enum class Stage : std::uint32_t {
  kStarted = 0,   // main() not reached yet
  kPrepared = 1,  // arguments read, identity proved, own memory mapped and pre-faulted
  kWorkload = 2,  // the workload runs: from here on kernel calls are the allocator's
  kFinished = 3,  // the workload is over: kernel calls are the host's again
  kDone = 4,      // everything is written; the process is about to exit
};

inline constexpr std::size_t kMaxMetrics = 96;
inline constexpr std::size_t kMaxTables = 8;
inline constexpr std::size_t kMaxColumns = 20;
inline constexpr std::size_t kMaxCells = 96 * 1024;
inline constexpr std::size_t kMaxTexts = 256;
inline constexpr std::size_t kMaxPhaseNames = 72;
inline constexpr std::size_t kNameSize = 40;
inline constexpr std::size_t kTextSize = 240;
inline constexpr std::uint32_t kNoTexts = ~std::uint32_t{0};

struct ReportMetric {
  char name[kNameSize];
  double value;
};

// Rows of numbers with named columns, and a text a row where first_text != kNoTexts. Row r of a table with c
// columns is cells[first_cell + r * c] onwards; its text is texts[first_text + r].
struct ReportTable {
  char name[kNameSize];
  char columns[kMaxColumns][kNameSize];
  std::uint32_t column_count;
  std::uint32_t row_count;
  std::uint32_t max_rows;
  std::uint32_t dropped_rows;  // rows that no longer fitted: told, not hidden
  std::uint32_t first_cell;
  std::uint32_t first_text;
};

struct Report {
  std::uint64_t magic;
  std::uint32_t version;
  std::atomic<std::uint32_t> stage;  // Stage
  std::atomic<std::uint32_t> phase;  // index into phase_names, for the ledger
  std::uint32_t outcome;             // Outcome
  char message[kTextSize];           // why, where the outcome is not ok
  char malloc_library[512];          // the file that malloc was resolved to (dladdr)
  char rss_source[kNameSize];        // "statm" or "smaps_rollup": which was found exact at start
  std::uint64_t observer_bytes;      // the host's own pre-faulted memory, subtracted from every RSS
  std::uint64_t baseline_rss_bytes;  // RSS just before the workload, observer_bytes included
  std::uint64_t operations;          // allocator operations done (fixed by workload, parameters, seed)
  std::uint64_t elapsed_ns;          // of the timed part of the workload, CLOCK_MONOTONIC
  std::uint64_t cpu_ns;              // CPU time of all threads in the timed part
  std::uint32_t metric_count;
  std::uint32_t table_count;
  std::uint32_t cell_count;
  std::uint32_t text_count;
  std::uint32_t phase_count;
  char phase_names[kMaxPhaseNames][kNameSize];
  ReportMetric metrics[kMaxMetrics];
  ReportTable tables[kMaxTables];
  char texts[kMaxTexts][kTextSize];
  double cells[kMaxCells];
};

static_assert(std::atomic<std::uint32_t>::is_always_lock_free);

}  // namespace heapmark
