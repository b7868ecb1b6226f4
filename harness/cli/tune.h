// `heapmark tune`: hands over to scripts/tune, which searches by Optuna and measures by `heapmark run`.
#pragma once

#include <string>
#include <vector>

#include "harness/cli/paths.h"

namespace heapmark::cli {

// Does not return where the script could be started; else throws UsageError that says what is missing.
[[noreturn]] void tune(const Paths& paths, const std::vector<std::string>& arguments,
                       const std::string& command);

}  // namespace heapmark::cli
