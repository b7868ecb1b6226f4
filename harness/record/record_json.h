// Records as JSON and back; the keys are those of docs/results-format.md. A number that was not measured is
// NaN here and null there.
#pragma once

#include <nlohmann/json.hpp>

#include "harness/record/record.h"

namespace heapmark::record {

[[nodiscard]] json to_json(const Record& record);
[[nodiscard]] json to_json(const Asked& asked);
[[nodiscard]] json to_json(const AllocatorFound& allocator);
[[nodiscard]] json to_json(const plan::Metric& metric);

// Each throws json::exception where a key is missing or of another type.
[[nodiscard]] Record record_from(const json& value);
[[nodiscard]] Asked asked_from(const json& value);
[[nodiscard]] AllocatorFound allocator_from(const json& value);
[[nodiscard]] plan::Metric metric_from(const std::string& name, const json& value);

}  // namespace heapmark::record
