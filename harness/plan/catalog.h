// The allocators that heapmark knows: one file of allocators/catalog each, whose rows allocators/README.md
// explains. Pure: the text of a file in, its row out; where a library lies on this machine is asked through
// libraries.h.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace heapmark::plan {

struct Tunable {
  std::string name;
  std::string variable;       // style "variable": its own environment variable
  std::string type;           // "bytes", "integer", "boolean", "number"
  std::string default_value;  // a figure, or a word where the allocator works it out
  std::string unit;           // "bytes", "KiB", "ms", ...; "" for a plain number
  std::string scale;          // "linear", "log", "choice"
  std::string help;
  std::optional<std::pair<double, double>> range;
  std::optional<std::pair<double, double>> search;  // where tuning looks for something better; within range
  std::string mallopt;                              // the same for mallopt(3), "M_MMAP_THRESHOLD", or ""
  std::string own_clock = {};  // the value with which the allocator keeps time itself (ClockUse::kOwn), or ""
};

// A way in which the allocator is known to fail a trial by its own design, so that a run is not called broken
// for it. The trial is recorded and shown as failed all the same.
struct KnownFailure {
  std::string workload, pass, outcome;  // as a results file has them
  std::string why;
};

// How an allocator knows the time: not at all, through the C library's clock_gettime, which stands still for
// it while it waits in lockstep, or by itself (a time stamp counter, a system call of its own, a background
// thread that sleeps): then it would notice the waiting and is timed in rounds.
enum class ClockUse { kNone, kLibc, kOwn };

struct Allocator {
  std::string name;
  std::string summary;
  std::string home;
  std::vector<std::string> libraries;  // names or paths to look for, first found wins; may hold '*'
  std::string symbol;    // that its library alone exports: a file given by its path is known by it
  std::string package;   // of Debian; "" where there is none
  bool builtin = false;  // the C library's own: nothing is preloaded but a no-op library
  bool bundled = false;  // built by us: lies beside the heapmark program
  ClockUse clock = ClockUse::kLibc;
  std::string not_for_use;                     // why nobody should use it; "" for all but `floor`
  std::string style;                           // "list": one variable for all tunables; "variable": one each
  std::string environment, format, separator;  // style "list"
  std::vector<Tunable> tunables;
  std::vector<KnownFailure> known_failures;
};

// The row that `text`, the contents of `file`, gives. Throws UsageError that names file and line.
[[nodiscard]] Allocator parse_allocator(std::string_view text, const std::filesystem::path& file);

[[nodiscard]] const Allocator* find(const std::vector<Allocator>& catalog, std::string_view name);

// All names, separated by commas: the list that select() takes, those not for use included.
[[nodiscard]] std::string names_of(const std::vector<Allocator>& catalog);

}  // namespace heapmark::plan
