// What a run found, in at most ten lines of plain words: who is fastest, who holds least and gives back most,
// what cannot be told yet, what distorts the figures, and one command to run next. Pure.
#pragma once

#include <string>
#include <vector>

#include "harness/record/record.h"
#include "harness/stats/analysis.h"

namespace heapmark::view {

// `file`: the results file, as the user would name it. One line each, without a line's end.
[[nodiscard]] std::vector<std::string> closing_words(const record::Results& results,
                                                     const stats::Analysis& analysis,
                                                     const std::string& file);

}  // namespace heapmark::view
