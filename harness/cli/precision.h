// `--precision` as it is written, and what was reached in words. The figures are stats/precision.h's.
#pragma once

#include <string>
#include <vector>

#include "harness/stats/precision.h"

namespace heapmark::cli {

// "2%", "0.02" -> 0.02. Throws UsageError.
[[nodiscard]] double parse_precision(const std::string& written);

// What was reached, in one or two sentences; "" where no ratio can be formed. `asked`: 0 where no precision
// was asked for.
[[nodiscard]] std::string precision_words(const std::vector<stats::Reached>& reached, double asked);

}  // namespace heapmark::cli
