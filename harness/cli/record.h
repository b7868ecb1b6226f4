// `heapmark record -- COMMAND...`: runs a program once under the recorder and closes what was recorded into
// traces, one a process; `record --finish` closes what a killed heapmark left.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "harness/cli/paths.h"

namespace heapmark::cli {

struct RecordOptions {
  std::vector<std::string> words;  // what stands after "--"
  std::string output;              // "": the program's name and .hmtrace, in this folder
  std::string allocator;           // "": the program's own
  std::string budget;              // "2G": of the raw recording; "": half of what is free on the disk
  std::string record_for;          // "60s"
  std::string signal;              // "USR2"
  std::string finish;              // a trace to be closed from what is there
  bool force = false;              // write over a trace that is there
  std::string command;             // as typed, for the record
};

void add_record_flags(CLI::App& verb, RecordOptions& options);

// Returns the program's exit code (128 and the signal's number), or one of exit_codes.h. Throws UsageError,
// Failure, and record::FileInUse where another heapmark records into the same file.
[[nodiscard]] int record(const Paths& paths, const RecordOptions& options);

}  // namespace heapmark::cli
