// Closes one process of a raw recording: its threads' events merged in the order of their times, addresses
// turned into objects, written through the TraceWriter. A recording that tells what was written to of its
// blocks is read twice (written_pages.h). Decides what an address means where the clocks of two CPUs
// disagree, and what becomes of frees that fit nothing. Memory is bounded by live objects, 8 KiB for each
// thread that is at work, and 16 bytes for each large block.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

#include "harness/trace/raw_recording.h"
#include "harness/trace/trace_writer.h"

namespace heapmark::trace {

struct Closed {
  Header header{};
  std::uint64_t raw_bytes = 0;   // of the recording's events and chunk headers
  std::uint64_t raw_events = 0;  // as recorded: a realloc is two
  WriterCounts counts;
};

// Called now and then with what is done and what there is to do, in bytes of the recording.
using Progress = std::function<void(std::uint64_t done, std::uint64_t total)>;

// Writes the trace of `process` to `path`. `end`: why its recording ended. `ns_per_tick`: of the counter.
// Throws std::system_error where the file cannot be written.
//
// - A request whose address is still taken: its free, stamped by another CPU, comes late. The older object
// waits for
//   the next free of that address by another thread, for at most a millisecond; counted as a repaired
//   inversion. Where none comes, the free was never recorded (it went past the recorder): the older object is
//   freed then, and the event is counted as lost.
// - A free or realloc whose stamp comes before that of the block's request, by another CPU: it waits for
// that, and its
//   thread with it, for at most some microseconds. Where another thread freed the address within the
//   millisecond before, the two frees have changed places: the next object of the address is freed as soon as
//   it is there. Either is counted as a repaired inversion.
// - A free or realloc of an address that the recording did not see handed out is counted as unknown; the
// realloc is then
//   a request.
// - A realloc that was begun and never ended, because the program was killed, did not happen.
// - What was written to of a block goes to the object that lies at its address then, and says nothing where
// none does.
Closed close_process(const RawRecording& recording, const RawProcess& process, double ns_per_tick, End end,
                     const std::filesystem::path& path, const Progress& progress);

}  // namespace heapmark::trace
