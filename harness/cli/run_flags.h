// The flags of the verbs that measure or join measurements, and their help.
#pragma once

#include <CLI/CLI.hpp>

#include "harness/cli/merge.h"
#include "harness/cli/run.h"
#include "harness/cli/sweep.h"

namespace heapmark::cli {

void add_run_flags(CLI::App& verb, RunOptions& options);
void add_sweep_flags(CLI::App& verb, SweepOptions& options);
void add_merge_flags(CLI::App& verb, MergeOptions& options);

}  // namespace heapmark::cli
