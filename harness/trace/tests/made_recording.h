// A raw recording of one process made by hand and closed, for the tests of closing. Below:
// example_recording.h.
#pragma once

#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstring>

#include "harness/trace/closing.h"
#include "harness/trace/example_recording.h"
#include "testing/folder.h"
#include "testing/trace_events.h"

namespace heapmark::trace {

using testing::Folder;
using testing::read_trace;
using testing::TraceEvents;

using Writer = RawEvents;

// A recording of one process; times are in units of 4 ns of the clock, from 0.
class Made {
 public:
  explicit Made(bool tells_written = false)
      : raw_(RawRecording::create(folder_.path() / "t.raw",
                                  {.budget_bytes = 1 << 30, .text = {{"command", "made"}}})) {
    raw_.control().counter = RawCounter::kClockNs;
    raw_.control().time_shift = kRawClockShift;
    RawImage image{};
    image.pid = 12;
    image.tells_written = tells_written ? 1 : 0;
    std::strcpy(image.command, "made");
    put(region_of(image));
  }

  // Returns where it stands in the file.
  std::uint64_t chunk(std::uint32_t thread, std::uint64_t sequence, const std::string& events,
                      std::uint64_t start_time = 0) {
    RawChunk header{};
    header.thread = thread;
    header.sequence = sequence;
    header.start_time = start_time;
    return put(region_of(header, events));
  }

  void overwrite(std::uint64_t offset, const std::string& bytes) const {
    REQUIRE(::pwrite(raw_.fd(), bytes.data(), bytes.size(), static_cast<off_t>(offset)) ==
            static_cast<ssize_t>(bytes.size()));
  }

  void hole(std::size_t bytes) { raw_.control().next_offset += bytes; }

  TraceEvents closed() {
    const std::vector<RawProcess> processes = processes_of(raw_);
    REQUIRE(processes.size() == 1);
    last_ = close_process(raw_, processes[0], 1, End::kExit, folder_.path() / "t.hmtrace", nullptr);
    TraceEvents read = read_trace(folder_.path() / "t.hmtrace");
    REQUIRE(read.error.empty());
    return read;
  }
  // Every process, whatever it is taken for.
  void close_all() const {
    for (const RawProcess& process : processes_of(raw_)) {
      close_process(raw_, process, 1, End::kExit, folder_.path() / "t.hmtrace", nullptr);
      CHECK(read_trace(folder_.path() / "t.hmtrace").error.empty());
    }
  }
  [[nodiscard]] const Closed& last() const { return last_; }
  [[nodiscard]] const RawRecording& raw() const { return raw_; }
  [[nodiscard]] std::filesystem::path path() const { return folder_.path() / "t.raw"; }

 private:
  std::uint64_t put(const std::string& bytes) {
    const std::uint64_t offset = raw_.control().next_offset.fetch_add(bytes.size());
    overwrite(offset, bytes);
    return offset;
  }
  Folder folder_;
  RawRecording raw_;
  Closed last_;
};

// What two threads of one process leave, closed.
inline TraceEvents closed_of(const Writer& main, const Writer& other, bool tells_written = false) {
  Made made(tells_written);
  made.chunk(0, 0, main.bytes);
  made.chunk(1, 0, other.bytes);
  return made.closed();
}

}  // namespace heapmark::trace
