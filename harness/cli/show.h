// `heapmark show`: a results file again, in one of the forms of view/exporter.h.
#pragma once

#include <string>

namespace heapmark::cli {

struct ShowOptions {
  std::string file;
  std::string format = "table";  // the name of an exporter
  std::string baseline;          // what the others are compared with; "": as in the run
  std::string margin;            // "3%"; "": as in the run
  std::string allocators;        // labels, separated by commas; "": all
  std::string figures;           // WORKLOAD/VARIANT:METRIC, separated by commas; "": all
};

// Returns 0. Throws UsageError where the file cannot be read or has no such allocator.
[[nodiscard]] int show(const ShowOptions& options);

}  // namespace heapmark::cli
