// `heapmark merge`: results files joined into one.
#pragma once

#include <string>
#include <vector>

namespace heapmark::cli {

struct MergeOptions {
  std::vector<std::string> files;
  std::string output;
  bool without_tables = false;
};

// Returns 0, or 3 where shards of the plan are missing. Throws UsageError.
[[nodiscard]] int merge(const MergeOptions& options);

}  // namespace heapmark::cli
