// A part of a results file for a small table: some allocators, some figures. Pure: what is left out stays in
// the file, and no ratio changes.
#pragma once

#include <string>
#include <vector>

#include "harness/record/record.h"
#include "harness/stats/analysis.h"

namespace heapmark::view {

struct Excerpt {
  std::vector<std::string> allocators;  // labels; none: all
  std::vector<std::string> figures;     // "WORKLOAD/VARIANT:METRIC"; none: all
};

// Removes the allocators (the baseline too, unless it is named; ratios to it stay) and statistics that are
// not selected. Throws UsageError for a label or figure that the results do not have.
void cut_to(const Excerpt& excerpt, record::Results& results, stats::Analysis& analysis);

}  // namespace heapmark::view
