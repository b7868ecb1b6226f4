// `heapmark show`: the tables again from a results file.
#pragma once

#include <string>

namespace heapmark::cli {

// `format`: "table", "markdown", "csv", "overview" (the one table that decides, as markdown) or "objectives"
// (JSON). `baseline`: what the others are compared with, where not "" (that of the run). Returns 0. Throws
// UsageError where the file cannot be read or has no such allocator.
[[nodiscard]] int show(const std::string& file, const std::string& format, const std::string& baseline);

}  // namespace heapmark::cli
