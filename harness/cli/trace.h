// `heapmark trace`: what recorded programs do, without running anything; cutting and importing traces.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "harness/cli/paths.h"

namespace heapmark::cli {

struct TraceOptions {
  std::vector<std::string> files;  // where the first is "import": what is to be imported
  std::string format = "text";     // text, csv, json
  std::string plot;                // a folder; "": none
  std::string cut;                 // "10s..40s"; "": none
  std::string output;              // of cut and import
  std::string from;                // of import: a format's name; "": recognised
  bool check = false;
};

void add_trace_flags(CLI::App& verb, TraceOptions& options);

// Returns 0, or kBadTrace where a file is no trace or damaged (the others are shown). Throws UsageError, and
// Failure with kBadTrace where the only file is bad.
[[nodiscard]] int trace(const Paths& paths, const TraceOptions& options);

}  // namespace heapmark::cli
