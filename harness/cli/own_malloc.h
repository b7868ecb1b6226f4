// What is known about a program's malloc before it runs: whether a preloaded allocator can take its place at
// all, and whether the C library's own needs help because the program is linked with another.
#pragma once

#include <string>

#include "harness/cli/paths.h"
#include "harness/plan/selection.h"

namespace heapmark::cli {

// A sentence where `program` (as called, in `folder` if that is not "") runs on its own malloc whatever is
// preloaded, else "".
[[nodiscard]] std::string own_malloc_words(const std::string& program, const std::string& folder = "");

// Where the program is linked with an allocator, malloc would resolve to that with nothing but the no-op
// library preloaded: a builtin selection then gets the forwarding library (workloads/host/forward.c). Returns
// a sentence that says so, or "".
std::string forward_where_linked(const Paths& paths, const std::string& program, const std::string& folder,
                                 plan::Selection& selection);

}  // namespace heapmark::cli
