// `heapmark list [WHAT]`: what can be measured here, with what, and which figures come out.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/cli/paths.h"

namespace heapmark::cli {

// What may be listed: "allocators", "workloads", ...
[[nodiscard]] const std::vector<std::string>& list_sections();

// `what`: one of list_sections(), or "" for all. Prints to stdout, as JSON where asked; returns the exit
// code. Throws UsageError for any other word or a catalog that cannot be read.
int list(const Paths& paths, std::string_view what, bool as_json);

}  // namespace heapmark::cli
