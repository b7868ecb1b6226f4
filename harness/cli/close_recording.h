// What becomes of a raw recording: a trace for each process in it, their names, why each ended, and what is
// told of them. Above: record.cc. Below: trace/closing.h.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "harness/cli/recorded_run.h"
#include "harness/trace/raw_recording.h"

namespace heapmark::cli {

// app.hmtrace -> app.hmtrace.raw
[[nodiscard]] std::filesystem::path raw_of(const std::filesystem::path& output);

// app.hmtrace -> app.PID.hmtrace, and app.PID-2.hmtrace for the second of that pid.
[[nodiscard]] std::filesystem::path trace_of(const std::filesystem::path& output, int pid, unsigned number);

// Closes every process of `recording`, which is the file `raw`, and removes that; tells on standard error
// what there is. `end`: of the program, where heapmark saw it. Returns false where no process recorded
// anything; then nothing is written. Throws std::runtime_error where a trace cannot be written: the raw
// recording then stays, and the message says how to go on.
[[nodiscard]] bool close_recording(const trace::RawRecording& recording, const std::filesystem::path& raw,
                                   const std::filesystem::path& output,
                                   const std::optional<RecordedEnd>& end);

// A sentence for a recording without an event.
[[nodiscard]] std::string why_nothing(const trace::RawRecording& recording, const std::string& program,
                                      bool by_signal);

}  // namespace heapmark::cli
