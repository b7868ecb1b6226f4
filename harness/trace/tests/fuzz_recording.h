// Raw recordings as inputs of the fuzzer, a few bytes a region or a call where the file has pages, so that
// libFuzzer's changes hit what is read. kRegions: RecordingInput's bytes, then regions. kCalls: a byte, then
// four a call. Shared by the fuzzer and the maker of its seeds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "harness/trace/example_recording.h"

namespace heapmark::trace {

// Reads an input from its start; zeros behind its end.
class FuzzBytes {
 public:
  explicit FuzzBytes(const std::string& bytes) : bytes_(bytes) {}
  [[nodiscard]] bool at_end() const { return at_ >= bytes_.size(); }
  unsigned byte() { return at_end() ? 0 : static_cast<unsigned char>(bytes_[at_++]); }
  unsigned pair() {
    const unsigned low = byte();
    return low | byte() << 8;
  }
  std::string take(std::size_t count) {
    const std::string taken = bytes_.substr(std::min(at_, bytes_.size()), count);
    at_ += taken.size();
    return taken;
  }

 private:
  const std::string& bytes_;
  std::size_t at_ = 0;
};

struct FuzzRegion {
  enum Kind : std::uint8_t { kImage, kChunk, kHole, kAnything };
  unsigned kind = kChunk;
  unsigned image = 0, thread = 0, sequence = 0;  // of an image: flags, pid
  unsigned start_time = 0;
  unsigned length = 0;  // in KiB, as the header says; 0: the right one
  std::string bytes;    // events; of an image its command; of kAnything all there is

  static FuzzRegion from(FuzzBytes& input) {
    FuzzRegion region;
    region.kind = input.byte() % 4;
    region.image = input.byte();
    region.thread = input.byte();
    region.sequence = input.byte();
    region.start_time = input.pair();
    region.length = input.byte();
    region.bytes = input.take(input.pair());
    return region;
  }

  [[nodiscard]] std::string input() const {
    std::string all;
    for (const unsigned one :
         {kind, image, thread, sequence, start_time & 0xff, start_time >> 8, length,
          static_cast<unsigned>(bytes.size() & 0xff), static_cast<unsigned>(bytes.size() >> 8)})
      all.push_back(static_cast<char>(one));
    return all + bytes;
  }

  // As it stands in the file.
  [[nodiscard]] std::string region() const {
    std::string all;
    if (kind == kImage) {
      RawImage header{};
      header.image = image;
      header.pid = static_cast<std::int32_t>(sequence);
      header.forked = thread & 1;
      header.exited = thread >> 1 & 1;
      header.start_ticks = start_time;
      bytes.copy(header.command, sizeof header.command);
      all = region_of(header);
    } else if (kind == kChunk) {
      RawChunk header{};
      header.image = image;
      header.thread = thread;
      header.sequence = sequence;
      header.start_time = start_time;
      header.ticks = header.ns = start_time * std::uint64_t{1'000'000};
      all = region_of(header, bytes);
    } else {
      all = kind == kHole ? std::string() : bytes;
      all.resize((all.size() / kRawPage + 1) * kRawPage, '\0');
    }
    if (length != 0 && kind <= kChunk) {
      const std::uint32_t written = length * 1024;
      all.replace(offsetof(RawChunk, length), sizeof written, reinterpret_cast<const char*>(&written),
                  sizeof written);
    }
    return all;
  }
};
static_assert(offsetof(RawChunk, length) == offsetof(RawImage, length));

// What calls make of a trace where nothing of them is lost.
struct FuzzCalls {
  std::vector<FuzzRegion> regions;
  std::uint64_t objects = 0, refused = 0;
};

// A call: bits 0..2 of its first byte the thread, bit 3 a new chunk, bits 4..7 the op; then the time since
// the thread's call before, the block, the size. `first`: the threads, less 1.
inline FuzzCalls calls_of(const std::string& input) {
  struct Thread {
    RawEvents events;
    unsigned sequence = 0, start_time = 0;
  };
  FuzzCalls calls;
  FuzzBytes bytes(input);
  const unsigned threads = bytes.byte() % 8 + 1;
  std::map<unsigned, Thread> all;
  const auto write_out = [&](unsigned number, Thread& thread) {
    calls.regions.push_back({FuzzRegion::kChunk, 0, number, thread.sequence++, thread.start_time, 0,
                             std::move(thread.events.bytes)});
    thread.events.bytes.clear();
    thread.events.address = 0;
  };
  while (!bytes.at_end()) {
    const unsigned first = bytes.byte(), wait = bytes.byte(), block = bytes.byte(), size = bytes.byte();
    const unsigned number = (first & 7) % threads;
    const auto op = static_cast<RawOp>(1 + (first >> 4) % (kRawOps - 1));
    Thread& thread = all[number];
    const bool is_full = thread.events.bytes.size() + kRawLongestEvent > kRawChunkBytes - kRawPage;
    if (((first & 8) != 0 && thread.sequence < 200) || is_full) write_out(number, thread);
    const bool is_request = op <= kRawAligned || op == kRawReallocEnd;
    if (is_request) ++calls.objects;
    if (op == kRawReallocFailed || op == kRawFailed) ++calls.refused;
    thread.events.add(op, thread.events.time + (std::uint64_t{wait & 15} << (wait >> 4)),
                      std::uint64_t{block % 32 + 1} << (block % 32 + 4),
                      op == kRawSpawn ? size % 16 : std::uint64_t{size & 7} << (size >> 3),
                      static_cast<std::uint8_t>(size & 31));
  }
  for (auto& [number, thread] : all) write_out(number, thread);
  calls.regions.push_back({FuzzRegion::kImage, 0, 0, 12, 0, 0, "calls"});
  return calls;
}

}  // namespace heapmark::trace
