// What the fuzzer of traces and the maker of its seeds agree on: the first byte of an input says how the rest
// is read. Of raw recordings: fuzz_recording.h.
#pragma once

#include <cstdint>

namespace heapmark::trace {

enum class FuzzKind : std::uint8_t {
  kFile,      // a file; its header gets the right checksum, so that what lies behind it is reached
  kSegments,  // threads less 1 (1 byte), then segments: raw bytes after their count (2 bytes, little-endian)
  kMemoryReplay,  // the text of one
  kMtrace,        // the text of one
  kRegions,       // the control page and the regions of a raw recording, whatever they hold
  kCalls,         // the calls of threads: a raw recording as the recorder writes it
};
inline constexpr unsigned kFuzzKinds = 6;

}  // namespace heapmark::trace
