// A part of a trace as a trace of its own: it begins by requesting, at time 0, what lives at the start of the
// part, each block by the thread that made it (by the first one where that thread has ended); then come the
// events of the part, from the next tick on. Below: TraceWalk, TraceWriter.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "harness/trace/trace_reading.h"

namespace heapmark::trace {

struct CutRange {
  std::uint64_t from_ns = 0, to_ns = ~std::uint64_t{0};  // from <= time < to
  std::string words;                                     // as the user wrote it, for the trace's text
};

// `reading` must be at its start; its end is read only where `to_ns` needs it. Throws BadTrace, and
// std::system_error where `to` cannot be written.
Header cut_trace(TraceReading& reading, const CutRange& range, const std::filesystem::path& to,
                 const std::function<void(double)>& progress = {});

}  // namespace heapmark::trace
