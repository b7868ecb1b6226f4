// The events of one thread of a raw recording, in its order: reads its chunks piece by piece and decodes
// them. Knows nothing of other threads. Above: closing.cc. Below: raw_recording.h.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "harness/trace/raw_recording.h"

namespace heapmark::trace {

struct RawEvent {
  RawOp op = kRawOps;
  std::uint8_t align_log2 = 0;
  std::uint64_t time = 0;     // in time units
  std::uint64_t address = 0;  // of the block, over 8
  std::uint64_t number = 0;
};

class RawThread {
 public:
  // `chunks`: of one thread, by sequence. Holds 8 KiB once it is read, and nothing after its end.
  RawThread(int fd, std::span<const RawChunkPlace> chunks) : fd_(fd), chunks_(chunks) {}

  // False at the end of the thread's last chunk, or where a chunk is missing or damaged: see lost_chunks().
  [[nodiscard]] bool next(RawEvent& event);

  [[nodiscard]] std::uint32_t number() const { return chunks_.front().thread; }
  [[nodiscard]] std::uint64_t start_time() const { return chunks_.front().start_time; }
  // Chunks that are not in the file (by their sequence) or end in something that is no event.
  [[nodiscard]] std::uint64_t lost_chunks() const { return lost_chunks_; }
  // Of the chunks, headers included, up to and with the latest event.
  [[nodiscard]] std::uint64_t bytes_read() const { return bytes_before_ + at_; }

 private:
  void begin_chunk();
  [[nodiscard]] bool decode(RawEvent& event);
  // Reads on where the window does not hold the longest event.
  void look_ahead();

  static constexpr std::size_t kWindow = 8192;
  int fd_;
  std::span<const RawChunkPlace> chunks_;
  std::size_t chunk_ = 0;
  bool inside_ = false;
  std::unique_ptr<unsigned char[]> window_;  // of the chunk's bytes from window_begin_
  std::size_t window_begin_ = 0, window_bytes_ = 0, at_ = 0;
  std::uint64_t time_ = 0, address_ = 0, bytes_before_ = 0, lost_chunks_ = 0;
};

}  // namespace heapmark::trace
