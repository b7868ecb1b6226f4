// See raw_thread.h.
#include "harness/trace/raw_thread.h"

#include <algorithm>
#include <cstring>

#include "workloads/contract/trace/format.h"

namespace heapmark::trace {
namespace {

constexpr std::size_t kSlack = 32;  // zeros behind the window: an event that is cut off decodes to nothing
static_assert(kSlack >= kRawLongestEvent);

std::uint64_t load(const unsigned char* from, std::size_t bytes) {
  std::uint64_t value = 0;
  std::memcpy(&value, from, bytes);
  return value;
}

}  // namespace

void RawThread::begin_chunk() {
  const RawChunkPlace& chunk = chunks_[chunk_];
  if (chunk_ > 0 && chunk.sequence != chunks_[chunk_ - 1].sequence + 1)
    lost_chunks_ += chunk.sequence - chunks_[chunk_ - 1].sequence - 1;
  if (chunk_ == 0) lost_chunks_ += chunk.sequence;
  if (!window_) window_ = std::make_unique<unsigned char[]>(kWindow + kSlack);
  at_ = kRawEventsOffset;
  window_begin_ = window_bytes_ = 0;
  time_ = std::max(time_, chunk.start_time);
  address_ = 0;
  inside_ = true;
}

void RawThread::look_ahead() {
  if (at_ + kRawLongestEvent <= window_begin_ + window_bytes_ ||
      (window_bytes_ > 0 && window_begin_ + window_bytes_ == chunks_[chunk_].bytes))
    return;
  window_begin_ = at_;
  const std::size_t want = std::min<std::size_t>(kWindow, chunks_[chunk_].bytes - at_);
  window_bytes_ = read_chunk(fd_, chunks_[chunk_], window_.get(), want, at_);
  if (window_bytes_ < want) std::memset(window_.get() + window_bytes_, 0, want - window_bytes_);
  window_bytes_ = want;
  std::memset(window_.get() + want, 0, kSlack);
}

bool RawThread::decode(RawEvent& event) {
  look_ahead();
  const unsigned char* const tag = window_.get() + (at_ - window_begin_);
  if (at_ >= chunks_[chunk_].bytes || *tag == 0) return false;
  const unsigned op = *tag & 15;
  if (op == 0 || op >= kRawOps) {
    ++lost_chunks_;
    return false;
  }
  const unsigned char* place = tag + 1;
  const std::size_t time_bytes = kRawLengths[*tag >> 4 & 3];
  event = RawEvent{.op = static_cast<RawOp>(op)};
  time_ += load(place, time_bytes);
  place += time_bytes;
  if (raw_has_address(op)) {
    const std::size_t address_bytes = kRawLengths[*tag >> 6];
    address_ += static_cast<std::uint64_t>(unzigzag(load(place, address_bytes)));
    place += address_bytes;
    event.address = address_;
  }
  if (raw_has_number(op)) {
    unsigned shift = 0;
    do {
      if (shift < 64) event.number |= static_cast<std::uint64_t>(*place & 0x7f) << shift;
      shift += 7;
    } while (*place++ >= 0x80 && shift < 70);
  }
  if (op == kRawAligned) event.align_log2 = *place++ & 63;
  event.time = time_;
  at_ += static_cast<std::size_t>(place - tag);
  return true;
}

bool RawThread::next(RawEvent& event) {
  while (chunk_ < chunks_.size()) {
    if (!inside_) begin_chunk();
    if (decode(event)) return true;
    bytes_before_ += at_;
    at_ = 0;
    inside_ = false;
    ++chunk_;
  }
  window_.reset();
  return false;
}

}  // namespace heapmark::trace
