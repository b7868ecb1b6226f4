// A raw recording made by hand, for tests and the fuzzer: what a thread writes for each event, and the
// regions of the file. Does what workloads/trace/recorder does, byte by byte as the format's comment has it
// and without its code, so that a mistake in either shows. Below: raw_format.h.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "workloads/contract/trace/format.h"
#include "workloads/contract/trace/raw_format.h"

namespace heapmark::trace {

// The events of one thread; `time` and `address` are those of its latest.
struct RawEvents {
  std::uint64_t time = 0, address = 0;
  std::string bytes;

  void add(RawOp op, std::uint64_t at_time, std::uint64_t block = 0, std::uint64_t number = 0,
           std::uint8_t align = 0) {
    const std::uint64_t passed = at_time - time;
    const auto distance = static_cast<std::int64_t>((block >> 3) - address);
    const std::uint64_t moved = zigzag(distance);
    const unsigned time_code = code(passed), address_code = raw_has_address(op) ? code(moved) : 0;
    bytes.push_back(static_cast<char>(op | time_code << 4 | address_code << 6));
    bytes.append(reinterpret_cast<const char*>(&passed), kRawLengths[time_code]);
    if (raw_has_address(op)) {
      bytes.append(reinterpret_cast<const char*>(&moved), kRawLengths[address_code]);
      address = block >> 3;
    }
    if (raw_has_number(op)) {
      for (; number >= 0x80; number >>= 7) bytes.push_back(static_cast<char>(number | 0x80));
      bytes.push_back(static_cast<char>(number));
    }
    if (op == kRawAligned) bytes.push_back(static_cast<char>(align));
    time = at_time;
  }

 private:
  static unsigned code(std::uint64_t value) {
    return value < 0x100 ? 0 : value < 0x10000 ? 1 : value < 0x1000000 ? 2 : 3;
  }
};

// The region of a process image; magic and length are set.
inline std::string region_of(RawImage& image) {
  image.magic = kRawImageMagic;
  image.length = kRawPage;
  std::string region(reinterpret_cast<const char*>(&image), sizeof image);
  region.resize(kRawPage, '\0');
  return region;
}

// The region of a chunk, at least a byte longer than its events; magic and length are set.
inline std::string region_of(RawChunk chunk, const std::string& events) {
  const std::size_t length = (kRawEventsOffset + events.size()) / kRawPage * kRawPage + kRawPage;
  chunk.magic = kRawChunkMagic;
  chunk.length = static_cast<std::uint32_t>(length);
  std::string region = std::string(reinterpret_cast<const char*>(&chunk), sizeof chunk) + events;
  region.resize(length, '\0');
  return region;
}

}  // namespace heapmark::trace
