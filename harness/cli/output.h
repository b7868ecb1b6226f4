// What the program writes, and that it arrives: results files that may be named, standard output that may be
// full or closed.
#pragma once

#include <string>

namespace heapmark::cli {

// Opens what is not open of the first three descriptors, so that no file of ours becomes standard output.
void fill_standard_descriptors();

// Writes out what is buffered for standard output. Returns "" or why that is not possible.
[[nodiscard]] std::string flush_standard_output();

// Throws UsageError where `name` cannot be a results file: "-", or a folder.
void require_file_name(const std::string& flag, const std::string& name);

}  // namespace heapmark::cli
