// Values as users write them ("128K", "0.75", "-1", "10s", "on") and as allocators and workloads want them:
// checked for kind and range, turned into the unit wanted. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "harness/plan/catalog.h"
#include "harness/plan/workload_list.h"

namespace heapmark::plan {

struct WrittenNumber {
  enum class Dimension { kPlain, kBytes, kTime };
  double value;  // plain, bytes, or seconds
  Dimension dimension;
};

// A decimal number with an optional suffix: B, K, M, G, T (powers of 1024; "KiB" and the like too), ms, s.
// Nothing where the text is anything else.
[[nodiscard]] std::optional<WrittenNumber> parse_number(std::string_view text);

// What the allocator's environment variable takes for `written`: a plain number in the tunable's unit, or a
// boolean spelt as the catalog spells the default ("true"/"false" or "1"/"0": each allocator reads only its
// own). Throws UsageError where the value is not of the type or out of range.
[[nodiscard]] std::string environment_value(const Tunable& tunable, std::string_view written);

// Throws UsageError where the workload would not take this value for its parameter: one of its choices, or a
// number in its range, with K, M or G for powers of 1024.
void check_value(const WorkloadParameter& parameter, std::string_view written);

}  // namespace heapmark::plan
