// The rows that Google Benchmark's own tools read ("benchmarks"): one a trial of the speed pass, and one for
// every trial that failed. Trials of other passes carry probes and have no time that may be compared.
#pragma once

#include <vector>

#include "harness/record/record.h"

namespace heapmark::record {

[[nodiscard]] std::vector<json> benchmark_rows(const Results& results);

}  // namespace heapmark::record
