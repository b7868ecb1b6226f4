// `heapmark exec -a NAME[tunable=value,...] -- COMMAND...`: any program on an allocator, handed over the same
// way as in a trial. The command finds the allocator's file in HEAPMARK_MALLOC_LIBRARY.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/cli/exit_codes.h"
#include "harness/cli/paths.h"
#include "harness/plan/selection.h"

namespace heapmark::cli {

// Becomes the command and so returns only where that is not possible: kNotInstalled where the allocator's
// library is not here, kNotFound or kCannotRun for the command. Throws UsageError for anything but one known
// allocator or an empty command. A "--" before the command is skipped.
int exec(const Paths& paths, std::string_view allocator, const std::vector<std::string>& command);

// The environment variables that exec sets, given what LD_PRELOAD holds now; pure.
[[nodiscard]] trial::Pairs exec_environment(const plan::Selection& selection, std::string_view preloaded);

}  // namespace heapmark::cli
