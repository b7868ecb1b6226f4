// Which allocators the user chose: "glibc,jemalloc[dirty_decay_ms=0],mine=/opt/libmine.so" becomes a list of
// selections, each with the library found for it on this machine or the reason why it is skipped.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/plan/catalog.h"
#include "harness/plan/libraries.h"
#include "harness/trial/trial.h"

namespace heapmark::plan {

// The parts of a list between its commas outside brackets; at least one, which may be empty. Throws
// UsageError where brackets do not match.
[[nodiscard]] std::vector<std::string> split(std::string_view list);

struct Selection {
  std::string label;           // as the user wrote it, tunables in the order given
  Allocator allocator;         // its catalog row; for "name=/path" one of its own without tunables
  trial::Pairs tunables;       // names and values as written
  std::string preload;         // what goes into LD_PRELOAD (the no-op library for a builtin one)
  std::string library;         // absolute path of the file in which malloc must be found; "" where skipped
  bool given_by_path = false;  // "name=/path": nobody has vouched for the library
  std::string skipped;         // why it cannot be measured here, with the package to install; "" where it can
  std::string version;         // of the Debian package, or ""
  std::string build_id;        // ELF note NT_GNU_BUILD_ID of the library, hexadecimal, or ""
};

// Parses a list. "all" stands for every allocator of the catalog that is for use;
// "jemalloc=/opt/libjemalloc.so" is another build of a known one and takes its tunables; the same selection
// again gets the label "glibc#2" (an A/A run). Throws UsageError for an unknown allocator or tunable ("did
// you mean"), a value that is not of the tunable's type or out of its range, a missing bracket, a path that
// is no shared library.
[[nodiscard]] std::vector<Selection> select(std::string_view list, const std::vector<Allocator>& catalog,
                                            const Libraries& libraries, const std::string& noop_library);

// Whether the allocator, with these tunables, would notice that its process waits in lockstep.
[[nodiscard]] bool keeps_time_itself(const Selection& selection);

// The environment variables that hand a selection's tunables to its allocator.
[[nodiscard]] trial::Pairs environment_of(const Selection& selection);

}  // namespace heapmark::plan
