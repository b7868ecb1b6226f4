// Traces of other tools, turned into ours: the text of Android's malloc debug and memory_replay, and the log
// of glibc's mtrace(3). The order of the lines is kept; where they have no times, an event takes a tick, and
// the text of the trace says "clock: events". Below: AddressBook, TraceWriter.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "workloads/contract/trace/format.h"

namespace heapmark::trace {

// memory_replay: "TID: malloc PTR SIZE", calloc PTR COUNT SIZE, realloc NEW OLD SIZE, memalign PTR ALIGNMENT
//   SIZE, free PTR, thread_done 0x0; a start and an end in ns may follow (AOSP, libmemory_trace and
//   bionic/libc/malloc_debug/README.md).
// mtrace: "@ CALLER + PTR SIZE", - PTR, < OLD, > NEW SIZE, ! OLD SIZE, = Start (mtrace(3)). It has neither
//   threads nor alignments.
enum class ForeignFormat { kMemoryReplay, kMtrace };

[[nodiscard]] const char* format_name(ForeignFormat format);
[[nodiscard]] const std::vector<ForeignFormat>& foreign_formats();

// By the first line that is not empty.
[[nodiscard]] std::optional<ForeignFormat> recognise(std::string_view text);

// Writes the trace to `to`. `name` is for messages and goes into the trace. A last line without an end that
// cannot be read is taken for one that was cut off, and counted as a lost event, as is a realloc without its
// end. Throws BadTrace "NAME:LINE: ..." for any other line that cannot be read, std::system_error where `to`
// cannot be written. `progress` is told the share that is done, now and then.
Header import_trace(std::string_view text, const std::string& name, ForeignFormat format,
                    const std::filesystem::path& to, const std::function<void(double)>& progress = {});

}  // namespace heapmark::trace
