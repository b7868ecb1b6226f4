// What a trace tells (trace/trace_facts.h) as text for a terminal, as JSON and as CSV for other programs.
// Nothing is computed here.
#pragma once

#include <cstddef>
#include <string>

#include "harness/trace/trace_facts.h"

namespace heapmark::view {

// `width`: columns of the terminal.
[[nodiscard]] std::string trace_text(const trace::TraceFacts& facts, std::size_t width, bool colour);

// One object, "heapmark_trace": 1 in front; sizes in bytes, times in nanoseconds (where "has_times" is false:
// in events). scripts/plot draws it.
[[nodiscard]] std::string trace_json(const trace::TraceFacts& facts);

// Rows "table,key,metric,value" (RFC 4180), so that all tables of a trace stand in one file.
[[nodiscard]] std::string trace_csv(const trace::TraceFacts& facts, bool with_head = true);

}  // namespace heapmark::view
