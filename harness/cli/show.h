// `heapmark show`: the tables again from a results file.
#pragma once

#include <string>

namespace heapmark::cli {

// `format`: "table", "markdown", "csv", or "overview" (the one table that decides, as markdown). Returns 0.
// Throws UsageError where the file cannot be read.
[[nodiscard]] int show(const std::string& file, const std::string& format);

}  // namespace heapmark::cli
