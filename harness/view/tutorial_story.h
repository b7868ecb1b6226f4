// The tutorial told in a terminal: each step of the sequence with a small drawing of the heap and what the
// kernel said, then the verdict on each claim. Pure: a record of the tutorial workload in, text out.
#pragma once

#include <string>

#include "harness/record/record.h"

namespace heapmark::view {

// Needs the record's tables `steps` and `claims` (docs/results-format.md); says so where they are missing, as
// after a crash. `width` is the terminal's.
[[nodiscard]] std::string tutorial_story(const record::Record& record, std::size_t width, bool colour);

// How many claims hold on each allocator, one row a claim.
[[nodiscard]] std::string tutorial_overview(const record::Results& results, std::size_t width, bool colour);

}  // namespace heapmark::view
