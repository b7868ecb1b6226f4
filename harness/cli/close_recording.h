// What becomes of a raw recording: a trace for each process in it, their names, why each ended, and what is
// told of them. Above: record.cc. Below: trace/closing.h.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "harness/cli/recorded_run.h"
#include "harness/trace/closing.h"
#include "harness/trace/raw_recording.h"

namespace heapmark::cli {

// app.hmtrace -> app.hmtrace.raw
[[nodiscard]] std::filesystem::path raw_of(const std::filesystem::path& output);

// app.hmtrace -> app.PID.hmtrace, and app.PID-2.hmtrace for the second of that pid.
[[nodiscard]] std::filesystem::path trace_of(const std::filesystem::path& output, int pid, unsigned number);

struct ClosedTrace {
  std::string file, end;
  int pid = 0;
  trace::Closed closed;
};

// Closes every process of `recording`, which is the file `raw`, and removes that. `end`: of the program,
// where heapmark saw it. None where no process recorded anything: then nothing is written, and `raw` stays.
// Throws std::runtime_error where a trace cannot be written: the raw recording then stays, and the message
// says how to go on.
[[nodiscard]] std::vector<ClosedTrace> close_recording(const trace::RawRecording& recording,
                                                       const std::filesystem::path& raw,
                                                       const std::filesystem::path& output,
                                                       const std::optional<RecordedEnd>& end,
                                                       trace::Writers writers);

// The one with most events. `traces`: at least one.
[[nodiscard]] const ClosedTrace& most_events(const std::vector<ClosedTrace>& traces);

// Tells on standard error what there is. `traces`: at least one.
void tell_of_traces(const trace::RawRecording& recording, const std::vector<ClosedTrace>& traces,
                    const std::optional<RecordedEnd>& end);

// Why recording ended before the program did; "" where it did not.
[[nodiscard]] const char* words_of(trace::RawReason reason);

// A sentence for a recording without an event.
[[nodiscard]] std::string why_nothing(const trace::RawRecording& recording, const std::string& program,
                                      bool by_signal);

}  // namespace heapmark::cli
