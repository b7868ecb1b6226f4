// Which memory limits the pressure pass runs a workload variant at, and how a limit is named: it is part of
// the variant ("small-1t@0.9"), so that every table, plot and merge keeps limits apart without knowing of
// them. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace heapmark::plan {

struct PressureLimits {
  std::vector<double> shares = {0.9, 0.8, 0.7, 0.6};  // of the peak that the baseline reaches without a limit
  bool smallest = true;                               // search for the smallest limit that suffices
  bool operator==(const PressureLimits&) const = default;
};

// "0.9,0.7,smallest": shares above 0 and up to 10, each once, and the word. Throws UsageError.
[[nodiscard]] PressureLimits parse_pressure_limits(const std::string& written);

// "small-1t@0.9"; of 0, no limit, "small-1t@unlimited".
[[nodiscard]] std::string variant_at(const std::string& variant, double share);
// "small-1t@0.9" -> "small-1t"; what has no limit stays as it is.
[[nodiscard]] std::string variant_without_limit(const std::string& variant);

}  // namespace heapmark::plan
