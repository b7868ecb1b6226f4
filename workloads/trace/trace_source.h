// A trace file as the replay reads it: header, index and one segment after the other, through buffers of its
// own. Not mapped: the kernel calls and the page faults of the process stay the allocator's. Memory does not
// grow with the trace but for 64 bytes a segment.
#pragma once

#include <cstdint>

#include "workloads/context.h"
#include "workloads/contract/trace/reader.h"

namespace heapmark::replay {

// Ends the trial with a message that names the file.
[[noreturn]] void refuse(Context& context, const char* what);

class TraceSource {
 public:
  // prepare() only. `identity`: the header's checksum in hexadecimal, or "" for any. A file that is no whole
  // trace, or another one, ends the trial.
  void open(Context& context, const char* path, const char* identity);

  [[nodiscard]] const trace::TraceFile& file() const { return file_; }
  [[nodiscard]] const trace::Header& header() const { return file_.header(); }

  // The decompressed segment, valid until the next call. What cannot be read ends the trial.
  const void* read(Context& context, std::uint64_t number);

 private:
  void read_bytes(Context& context, void* to, std::uint64_t offset, std::uint64_t bytes) const;

  int fd_ = -1;
  std::uint64_t read_ahead_to_ = 0;
  trace::TraceFile file_;
  void *frame_ = nullptr, *raw_ = nullptr, *workspace_ = nullptr;
};

}  // namespace heapmark::replay
