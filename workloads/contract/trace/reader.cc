#include "workloads/contract/trace/reader.h"

#define ZSTD_STATIC_LINKING_ONLY  // ZSTD_initStaticDCtx: decompression in the caller's memory
#include <zstd.h>

#include <cstring>
#include <initializer_list>

namespace heapmark::trace {

namespace {

constexpr Error kDamaged = "the file is damaged: a segment does not hold what its index says";

bool read_varint(const unsigned char*& at, const unsigned char* end, std::uint64_t& value) {
  value = 0;
  for (unsigned shift = 0; at != end && shift < 64; shift += 7) {
    const unsigned char byte = *at++;
    value |= std::uint64_t{byte & 0x7fU} << shift;
    if ((byte & 0x80U) == 0) return shift < 63 || byte <= 1;
  }
  return false;
}

bool within(std::uint64_t offset, std::uint64_t count, std::uint64_t total) {
  return offset <= total && count <= total - offset;
}

bool decompress(const void* from, std::size_t count, void* to, std::size_t raw_count, void* workspace) {
  ZSTD_DCtx* const context = ZSTD_initStaticDCtx(workspace, ZSTD_estimateDCtxSize());
  return context != nullptr && ZSTD_decompressDCtx(context, to, raw_count, from, count) == raw_count;
}

// Whether the sums of the header can be true of any trace: memory is taken by what it says.
bool plausible(const Header& header) {
  if (header.events > kMaxEvents || header.segments > header.file_bytes / kMinFrameBytes) return false;
  // Each thread but the first was started by an event.
  if (header.threads > header.events + 1 || header.text_bytes > kMaxTextBytes) return false;
  return header.threads >= 1 && header.threads <= kMaxThreads && header.max_live_threads >= 1 &&
         header.max_live_threads <= header.threads && header.tick_ns >= 1 &&
         header.tick_ns <= 1'000'000'000 && header.end < kEnds && header.objects <= header.events &&
         header.max_live_objects <= header.objects && header.end_live_objects <= header.max_live_objects &&
         header.end_live_bytes <= header.max_live_bytes && header.max_segment_events <= kMaxSegmentEvents &&
         header.max_segment_objects <= header.max_segment_events &&
         header.max_segment_raw_bytes <= kMaxSegmentRawBytes && header.segments <= header.events &&
         header.max_segment_bytes <= header.file_bytes && header.index_offset >= sizeof(Header) &&
         header.index_raw_bytes == header.segments * sizeof(SegmentEntry) + header.text_bytes;
}

}  // namespace

Error TraceFile::open(const void* bytes, std::size_t count) {
  bytes_ = static_cast<const unsigned char*>(bytes);
  return open_start(bytes, count, count);
}

Error TraceFile::open_start(const void* bytes, std::size_t count, std::uint64_t file_bytes) {
  count_ = file_bytes;
  if (count == 0) return "the file is empty";
  if (count < sizeof(kMagic) || std::memcmp(bytes, kMagic, sizeof(kMagic)) != 0)
    return "the file is no heapmark trace";
  if (count < sizeof(Header)) return "the file is truncated: its header is not whole";
  std::memcpy(&header_, bytes, sizeof(Header));
  if (header_.byte_order == __builtin_bswap32(kByteOrder))
    return "the trace was recorded on a machine of another byte order, which is not supported";
  if (header_.byte_order != kByteOrder) return "the header is damaged";
  if (header_.version < kOldestVersion || header_.version > kVersion ||
      header_.header_bytes != sizeof(Header))
    return "the trace is of another version of the format: record it again with this heapmark";
  if (header_.checksum != fnv1a(&header_, offsetof(Header, checksum))) return "the header is damaged";
  if (header_.index_offset == 0) return "the trace was never finished: its writer was killed";
  if (header_.file_bytes > file_bytes) return "the file is truncated";
  if (header_.file_bytes != file_bytes) return "the file is damaged: bytes follow after its end";
  if (!within(header_.index_offset, header_.index_bytes, file_bytes) || !plausible(header_))
    return "the header is damaged: what it says cannot be";
  return nullptr;
}

std::size_t TraceFile::workspace_bytes() {
  return ZSTD_estimateDCtxSize();
}

Error TraceFile::read_index(void* to, void* workspace) {
  return read_index(bytes_ + header_.index_offset, to, workspace);
}

Error TraceFile::read_index(const void* frame, void* to, void* workspace) {
  if (!decompress(frame, header_.index_bytes, to, header_.index_raw_bytes, workspace))
    return "the file is damaged: its index cannot be decompressed";
  entries_ = static_cast<const SegmentEntry*>(to);
  text_ = static_cast<const char*>(to) + header_.segments * sizeof(SegmentEntry);
  std::uint64_t events = 0, tick = 0, offset = sizeof(Header);
  for (std::uint64_t number = 0; number < header_.segments; ++number) {
    const SegmentEntry& entry = entries_[number];
    if (entry.events == 0 || entry.events > header_.max_segment_events || entry.end_tick < tick ||
        entry.raw_bytes > header_.max_segment_raw_bytes || entry.bytes > header_.max_segment_bytes ||
        entry.offset != offset || !within(entry.offset, entry.bytes, header_.index_offset))
      return "the file is damaged: its index says what cannot be";
    events += entry.events;
    tick = entry.end_tick;
    offset += entry.bytes;
  }
  if (events != header_.events || tick != header_.duration_ticks || offset != header_.index_offset)
    return "the file is damaged: its index and its header disagree";
  return nullptr;
}

Error TraceFile::read_segment(std::uint64_t number, void* to, void* workspace) const {
  return read_segment(number, bytes_ + entries_[number].offset, to, workspace);
}

Error TraceFile::read_segment(std::uint64_t number, const void* frame, void* to, void* workspace) const {
  const SegmentEntry& entry = entries_[number];
  if (!decompress(frame, entry.bytes, to, entry.raw_bytes, workspace))
    return "the file is damaged: a segment cannot be decompressed";
  return nullptr;
}

SegmentParts::SegmentParts(const TraceFile& file, std::uint64_t number, const void* raw,
                           const std::uint64_t* made_before)
    : at_(static_cast<const unsigned char*>(raw)),
      end_(at_ + file.segment(number).raw_bytes),
      events_left_(file.segment(number).events),
      start_tick_(number == 0 ? 0 : file.segment(number - 1).end_tick),
      end_tick_(file.segment(number).end_tick),
      threads_(static_cast<std::uint32_t>(file.header().threads)),
      tells_written_(file.header().version >= 2),
      made_before_(made_before) {
  if (!read_varint(at_, end_, left_) || left_ > threads_ || left_ > events_left_) {
    left_ = 0;
    error_ = kDamaged;
  }
}

Error SegmentParts::next(Part& part) {
  std::uint64_t thread = 0, events = 0, times = 0, sizes = 0, refs = 0;
  if (error_ != nullptr) return error_;
  const bool read = read_varint(at_, end_, thread) && read_varint(at_, end_, events) &&
                    read_varint(at_, end_, times) && read_varint(at_, end_, sizes) &&
                    read_varint(at_, end_, refs);
  // In the order of their threads, so that none comes twice.
  const bool in_order = first_ || thread > last_thread_;
  if (!read || thread >= threads_ || !in_order || events == 0 || events > events_left_)
    return error_ = kDamaged;
  std::uint64_t room = static_cast<std::uint64_t>(end_ - at_);
  for (const std::uint64_t column : {events, times, sizes, refs}) {
    if (column > room) return error_ = kDamaged;
    room -= column;
  }
  part.thread_ = static_cast<std::uint32_t>(thread);
  part.threads_ = threads_;
  part.tells_written_ = tells_written_;
  part.left_ = events;
  part.tick_ = start_tick_;
  part.end_tick_ = end_tick_;
  part.made_before_ = made_before_;
  part.made_ = made_before_[thread];
  part.ops_ = at_;
  part.times_ = part.ops_ + events;
  part.sizes_ = part.times_end_ = part.times_ + times;
  part.refs_ = part.sizes_end_ = part.sizes_ + sizes;
  at_ = part.refs_end_ = part.refs_ + refs;
  events_left_ -= events;
  last_thread_ = thread;
  first_ = false;
  --left_;
  return nullptr;
}

Error SegmentParts::finish() const {
  if (error_ != nullptr) return error_;
  return at_ == end_ && events_left_ == 0 ? nullptr : kDamaged;
}

Error Part::next(Event& event) {
  const unsigned char byte = *ops_++, op = byte & static_cast<unsigned char>(~(kStayed | kWritten));
  if (op < static_cast<unsigned char>(Op::kMalloc) ||
      op > static_cast<unsigned char>(tells_written_ ? Op::kWrite : Op::kEnd))
    return kDamaged;
  event.op = static_cast<Op>(op);
  event.moved = (byte & kStayed) == 0;
  if (!event.moved && event.op != Op::kRealloc) return kDamaged;
  const bool told = (byte & kWritten) != 0;
  if (told && (!tells_written_ || !yields(event.op))) return kDamaged;
  --left_;
  std::uint64_t ticks = 0;
  if (!read_varint(times_, times_end_, ticks) || ticks > end_tick_ - tick_) return kDamaged;
  tick_ += ticks;
  event.tick = tick_;
  event.log2_alignment = 0;
  if (event.op == Op::kAligned) {
    if (sizes_ == sizes_end_ || *sizes_ > kMaxAlignmentLog2) return kDamaged;
    event.log2_alignment = *sizes_++;
  }
  if (has_size(event.op)) {
    if (!read_varint(sizes_, sizes_end_, event.size)) return kDamaged;
    // What was refused may have been any number.
    if (event.op != Op::kRefused && event.size > kMaxRequest) return kDamaged;
  }
  event.written_pages = kNotTold;
  if (told || event.op == Op::kWrite) {
    std::uint64_t pages = 0;
    if (!read_varint(sizes_, sizes_end_, pages) || pages >= kNotTold) return kDamaged;
    if (told && pages > pages_of(event.size)) return kDamaged;
    event.written_pages = static_cast<std::uint32_t>(pages);
  }
  if (refers(event.op)) {
    std::uint64_t ref = 0;
    if (!read_varint(refs_, refs_end_, ref)) return kDamaged;
    if ((ref & 1) == 0) {
      if (ref / 2 >= made_) return kDamaged;
      event.takes = {thread_, made_ - 1 - ref / 2};
    } else {
      std::uint64_t distance = 0;
      if (ref / 2 >= threads_ || ref / 2 == thread_ || !read_varint(refs_, refs_end_, distance))
        return kDamaged;
      const auto thread = static_cast<std::uint32_t>(ref / 2);
      const std::int64_t back = unzigzag(distance);
      if (back > 0 && static_cast<std::uint64_t>(back) > made_before_[thread]) return kDamaged;
      if (back <= -static_cast<std::int64_t>(kMaxSegmentEvents)) return kDamaged;
      event.takes = {thread, made_before_[thread] - static_cast<std::uint64_t>(back)};
    }
  }
  if (event.op == Op::kSpawn) {
    std::uint64_t thread = 0;
    if (!read_varint(refs_, refs_end_, thread) || thread >= threads_ || thread == thread_ || thread == 0)
      return kDamaged;
    event.spawned = static_cast<std::uint32_t>(thread);
  }
  if (yields(event.op)) event.gives = {thread_, made_++};
  if (event.op == Op::kEnd && left_ != 0) return kDamaged;
  if (left_ == 0 && (times_ != times_end_ || sizes_ != sizes_end_ || refs_ != refs_end_)) return kDamaged;
  return nullptr;
}

}  // namespace heapmark::trace
