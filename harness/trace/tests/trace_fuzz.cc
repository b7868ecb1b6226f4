// libFuzzer's target for all that reads traces: the reader, the walk, the facts, the cut, the importers; raw
// recordings are in recording_fuzz.cc. A file may be anything and must end in BadTrace or in facts; whatever
// was made (cut, imported) must be right.
//
// A segment is compressed and has a checksum, and its sums stand in index and header: of raw segments a whole
// file is made here, with sums that are right where the events make sense at all.
#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "harness/trace/tests/fuzz_input.h"
#include "harness/trace/tests/fuzz_target.h"
#include "harness/trace/trace_cut.h"
#include "harness/trace/trace_facts.h"
#include "harness/trace/trace_import.h"
#include "harness/trace/trace_walk.h"

namespace heapmark::trace {
namespace {

// A few bytes of zstd can stand for many events: more would only be slow.
constexpr std::uint64_t kMostEvents = 20'000;

std::string compressed(const std::string& raw) {
  std::string to(ZSTD_compressBound(raw.size()), '\0');
  ZSTD_CCtx* const context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, 1);
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  to.resize(ZSTD_compress2(context, to.data(), to.size(), raw.data(), raw.size()));
  ZSTD_freeCCtx(context);
  return to;
}

void seal(std::string& file) {
  Header header{};
  std::memcpy(&header, file.data(), sizeof(header));
  header.checksum = fnv1a(&header, offsetof(Header, checksum));
  std::memcpy(file.data(), &header, sizeof(header));
}

struct Made {
  Header header{};
  std::vector<std::string> raw;
  std::vector<SegmentEntry> index;

  [[nodiscard]] std::string file() {
    std::string body, plain;
    header.max_segment_bytes = header.max_segment_raw_bytes = header.max_segment_events = header.events = 0;
    for (std::size_t number = 0; number < raw.size(); ++number) {
      const std::string frame = compressed(raw[number]);
      SegmentEntry& entry = index[number];
      entry.offset = sizeof(Header) + body.size();
      entry.bytes = frame.size();
      entry.raw_bytes = raw[number].size();
      body += frame;
      header.events += entry.events;
      header.max_segment_events = std::max(header.max_segment_events, entry.events);
      header.max_segment_raw_bytes = std::max(header.max_segment_raw_bytes, entry.raw_bytes);
      header.max_segment_bytes = std::max(header.max_segment_bytes, entry.bytes);
    }
    header.duration_ticks = index.empty() ? 0 : index.back().end_tick;
    header.segments = raw.size();
    plain.assign(reinterpret_cast<const char*>(index.data()), index.size() * sizeof(SegmentEntry));
    const std::string frame = compressed(plain);
    header.index_offset = sizeof(Header) + body.size();
    header.index_bytes = frame.size();
    header.index_raw_bytes = plain.size();
    header.file_bytes = header.index_offset + frame.size();
    std::string all(reinterpret_cast<const char*>(&header), sizeof(header));
    all += body + frame;
    seal(all);
    return all;
  }
};

bool read_varint(const std::string& from, std::size_t& at, std::uint64_t& value) {
  value = 0;
  for (unsigned shift = 0; at < from.size() && shift < 64; shift += 7) {
    const auto byte = static_cast<unsigned char>(from[at++]);
    value |= std::uint64_t{byte & 0x7fU} << shift;
    if ((byte & 0x80U) == 0) return true;
  }
  return false;
}

// Events of a raw segment as its parts say, and the latest time in it since its start.
bool measure(const std::string& raw, std::uint64_t& events, std::uint64_t& ticks) {
  std::size_t at = 0;
  std::uint64_t parts = 0;
  events = ticks = 0;
  if (!read_varint(raw, at, parts)) return false;
  for (; parts > 0; --parts) {
    std::uint64_t number = 0, count = 0, columns[3];
    if (!read_varint(raw, at, number) || !read_varint(raw, at, count)) return false;
    for (std::uint64_t& column : columns)
      if (!read_varint(raw, at, column) || column > raw.size()) return false;
    if (count > raw.size()) return false;
    events += count;
    std::size_t time_at = at + count;
    std::uint64_t sum = 0;
    for (std::uint64_t event = 0; event < count; ++event) {
      std::uint64_t time = 0;
      if (!read_varint(raw, time_at, time)) return false;
      sum += std::min(time, std::uint64_t{1} << 40);
    }
    ticks = std::max(ticks, sum);
    at += count + columns[0] + columns[1] + columns[2];
  }
  return events > 0 && events <= kMostEvents;
}

// The sums of header and index, from the events. False where the events make no sense.
bool sum(Made& made) {
  const std::string bytes = made.file();
  try {
    TraceReading reading(bytes, "sums");
    LiveObjects live;
    Step step;
    std::uint64_t live_bytes = 0, segment_objects = 0, threads = 1;
    Header& to = made.header;
    while (reading.next(step)) {
      SegmentEntry& entry = made.index[step.segment];
      if (entry.peak_live_bytes == ~std::uint64_t{0}) {
        entry.peak_live_bytes = live_bytes;
        segment_objects = 0;
      }
      const Event& event = step.event;
      Known known;
      if (gives_up(event.op)) {
        if (!live.take(event.takes, known)) return false;
        live_bytes -= known.bytes;
      }
      if (yields(event.op)) {
        live.add(event.gives, {event.size, 0});
        live_bytes += event.size;
        ++to.objects;
        to.max_segment_objects = std::max(to.max_segment_objects, ++segment_objects);
      }
      if (event.op == Op::kRefused) ++to.refused_requests;
      if (event.op == Op::kSpawn) to.max_live_threads = std::max(to.max_live_threads, ++threads);
      if (event.op == Op::kEnd) --threads;
      entry.end_live_bytes = to.end_live_bytes = live_bytes;
      entry.end_live_objects = to.end_live_objects = live.size();
      entry.peak_live_bytes = std::max(entry.peak_live_bytes, live_bytes);
      to.max_live_bytes = std::max(to.max_live_bytes, live_bytes);
      to.max_live_objects = std::max(to.max_live_objects, live.size());
    }
    return true;
  } catch (const BadTrace&) {
    return false;
  }
}

// Reads all that can be read of a trace, and cuts it. Whether it is right.
bool read_all(const std::string& bytes) {
  try {
    TraceReading reading(bytes, "input");
    if (reading.header().events > kMostEvents) return false;
    const TraceFacts facts = facts_of(reading);
    const std::uint64_t third = facts.duration_ns / 3;
    for (const auto& [from, to] : {std::pair{third, 2 * third}, std::pair{third, ~std::uint64_t{0}}}) {
      TraceReading whole(bytes, "input"), part_of(bytes, "input");
      const Header cut = cut_trace(whole, {from, to, "part"}, scratch());
      if (to != ~std::uint64_t{0}) continue;
      if (cut.end_live_bytes != facts.header.end_live_bytes ||
          cut.end_live_objects != facts.header.end_live_objects)
        fail("cut", "what lives at the end is not what lived at the end of the whole");
    }
    try {
      TraceReading part(scratch());
      check(part);
    } catch (const BadTrace& error) {
      fail("cut", error.what());
    }
    return true;
  } catch (const BadTrace&) {
    return false;
  }
}

void try_file(std::string bytes) {
  if (bytes.size() >= sizeof(Header)) seal(bytes);
  read_all(bytes);
}

void try_segments(const std::string& input) {
  if (input.empty()) return;
  Made made;
  std::memcpy(made.header.magic, kMagic, sizeof(kMagic));
  made.header.byte_order = kByteOrder;
  made.header.version = kVersion;
  made.header.header_bytes = sizeof(Header);
  made.header.tick_ns = 100;
  made.header.max_live_threads = 1;
  made.header.threads = static_cast<unsigned char>(input[0]) + std::uint64_t{1};
  std::uint64_t tick = 0;
  for (std::size_t at = 1; at + 2 < input.size();) {
    const std::size_t count =
        static_cast<unsigned char>(input[at]) + std::size_t{256} * static_cast<unsigned char>(input[at + 1]);
    made.raw.push_back(input.substr(at + 2, count));
    at += 2 + made.raw.back().size();
    SegmentEntry& entry = made.index.emplace_back();
    std::uint64_t ticks = 0;
    if (!measure(made.raw.back(), entry.events, ticks))
      entry.events = std::max<std::uint64_t>(entry.events, 1);
    entry.events = std::min(entry.events, kMostEvents);
    entry.end_tick = tick += ticks;
    entry.peak_live_bytes = ~std::uint64_t{0};
  }
  made.header.objects = made.header.max_segment_objects = made.header.max_live_objects = 0;
  const bool makes_sense = sum(made);
  const bool right = read_all(made.file());
  // Sums of sizes may pass 64 bits, which is refused; a thread may never start.
  if (right && !makes_sense) fail("segments", "events that make no sense were not refused");
}

void try_text(const std::string& text, ForeignFormat format) {
  (void)recognise(text);
  try {
    import_trace(text, "input", format, scratch());
  } catch (const BadTrace&) {
    return;
  }
  try {
    TraceReading reading(scratch());
    (void)facts_of(reading);
  } catch (const BadTrace& error) {
    fail("import", error.what());
  }
}

}  // namespace
}  // namespace heapmark::trace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t count) {
  using namespace heapmark::trace;
  if (count == 0) return 0;
  const std::string rest(reinterpret_cast<const char*>(data) + 1, count - 1);
  switch (static_cast<FuzzKind>(data[0] % kFuzzKinds)) {
    case FuzzKind::kFile:
      try_file(rest);
      break;
    case FuzzKind::kSegments:
      try_segments(rest);
      break;
    case FuzzKind::kMemoryReplay:
      try_text(rest, ForeignFormat::kMemoryReplay);
      break;
    case FuzzKind::kMtrace:
      try_text(rest, ForeignFormat::kMtrace);
      break;
    case FuzzKind::kRegions:
      try_regions(rest);
      break;
    case FuzzKind::kCalls:
      try_calls(rest);
  }
  return 0;
}
