#include "harness/trace/trace_writer.h"

#include <fmt/core.h>
#include <zstd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>

namespace heapmark::trace {

namespace {

constexpr int kLevel = 6;

void add_varint(std::string& to, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) to.push_back(static_cast<char>(value | 0x80));
  to.push_back(static_cast<char>(value));
}

std::string compressed(const std::string& raw) {
  std::string to(ZSTD_compressBound(raw.size()), '\0');
  ZSTD_CCtx* const context = ZSTD_createCCtx();
  if (context == nullptr) throw std::bad_alloc();
  ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, kLevel);
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  const std::size_t bytes = ZSTD_compress2(context, to.data(), to.size(), raw.data(), raw.size());
  ZSTD_freeCCtx(context);
  if (ZSTD_isError(bytes) != 0) throw std::runtime_error(fmt::format("zstd: {}", ZSTD_getErrorName(bytes)));
  to.resize(bytes);
  return to;
}

template <typename Plain>
std::string bytes_of(const Plain* first, std::size_t count) {
  return {reinterpret_cast<const char*>(first), count * sizeof(Plain)};
}

}  // namespace

std::uint64_t segment_events_for(std::uint64_t events) {
  return std::clamp(std::bit_ceil(events / 512), std::uint64_t{256}, kMaxSegmentEvents);
}

TraceWriter::TraceWriter(std::filesystem::path path, WriterOptions options)
    : path_(std::move(path)), options_(std::move(options)), file_(path_, std::ios::binary | std::ios::trunc) {
  if (!file_) throw std::system_error(errno, std::generic_category(), path_.string());
  options_.segment_events = std::clamp(options_.segment_events, std::uint64_t{1}, kMaxSegmentEvents);
  std::memcpy(header_.magic, kMagic, sizeof(kMagic));
  header_.byte_order = kByteOrder;
  header_.version = kOldestVersion;
  header_.header_bytes = sizeof(Header);
  header_.tick_ns = options_.tick_ns;
  header_.start_unix_ns = options_.start_unix_ns;
  header_.pid = options_.pid;
  threads_.resize(1);
  threads_[0].spawned = true;
  header_.max_live_threads = live_threads_ = 1;
  write(bytes_of(&header_, 1));
}

void TraceWriter::write(const std::string& bytes) {
  if (!file_.write(bytes.data(), static_cast<std::streamsize>(bytes.size())) || !file_.flush())
    throw std::system_error(errno, std::generic_category(), path_.string());
  offset_ += bytes.size();
}

TraceWriter::Thread& TraceWriter::at(std::uint32_t thread, std::uint64_t time_ns, Op op) {
  if (thread > threads_.size() || thread >= kMaxThreads)
    throw std::logic_error(fmt::format("trace: thread {} comes before thread {}", thread, threads_.size()));
  if (thread == threads_.size() || !threads_[thread].spawned) {
    std::uint32_t parent = 0;
    while (parent < threads_.size() && (threads_[parent].ended || !threads_[parent].spawned)) ++parent;
    if (parent == threads_.size())
      throw std::logic_error(fmt::format("trace: thread {} starts after all others have ended", thread));
    spawn(parent, time_ns, thread);
  }
  if (threads_[thread].ended)
    throw std::logic_error(fmt::format("trace: thread {} has ended and goes on", thread));
  begin_event(thread, time_ns, op);
  return threads_[thread];
}

void TraceWriter::begin_event(std::uint32_t number, std::uint64_t time_ns, Op op) {
  if (segment_count_ == options_.segment_events) flush_segment();
  now_ = std::max(now_, time_ns / options_.tick_ns);
  Thread& thread = threads_[number];
  if (thread.ops.empty()) {
    busy_.push_back(number);
    thread.tick = segment_start_;
  }
  thread.ops.push_back(static_cast<char>(op));
  add_varint(thread.times, now_ - thread.tick);
  thread.tick = now_;
  ++segment_count_;
  ++header_.events;
}

// After the event's own byte.
void TraceWriter::add_size(Thread& thread, std::uint64_t bytes, std::uint32_t written_pages) {
  add_varint(thread.sizes, bytes);
  if (written_pages == kNotTold) return;
  if (written_pages > pages_of(bytes))
    throw std::logic_error(fmt::format("trace: {} pages of a block of {} bytes", written_pages, bytes));
  thread.ops.back() = static_cast<char>(static_cast<unsigned char>(thread.ops.back()) | kWritten);
  add_varint(thread.sizes, written_pages);
  header_.version = 2;
}

void TraceWriter::refer(std::uint32_t from, const Object& object) {
  Thread& thread = threads_[from];
  if (object.thread == from) {
    add_varint(thread.refs, (thread.made - 1 - object.serial) * 2);
    return;
  }
  add_varint(thread.refs, std::uint64_t{object.thread} * 2 + 1);
  add_varint(thread.refs,
             zigzag(static_cast<std::int64_t>(threads_[object.thread].made_before_segment - object.serial)));
}

LiveObject TraceWriter::made(std::uint32_t thread, std::uint64_t bytes, std::uint32_t written_pages) {
  header_.end_live_bytes += bytes;
  ++header_.end_live_objects;
  ++header_.objects;
  ++segment_made_;
  header_.max_live_bytes = std::max(header_.max_live_bytes, header_.end_live_bytes);
  header_.max_live_objects = std::max(header_.max_live_objects, header_.end_live_objects);
  segment_peak_ = std::max(segment_peak_, header_.end_live_bytes);
  return {{thread, threads_[thread].made++}, bytes, written_pages};
}

void TraceWriter::gone(const LiveObject& object) {
  if (header_.end_live_objects == 0 || header_.end_live_bytes < object.bytes)
    throw std::logic_error("trace: more is given up than was made");
  header_.end_live_bytes -= object.bytes;
  --header_.end_live_objects;
}

LiveObject TraceWriter::request(std::uint32_t number, std::uint64_t time_ns, Op op, std::uint64_t bytes,
                                std::uint8_t log2_alignment, std::uint32_t written_pages) {
  Thread& thread = at(number, time_ns, op);
  if (op == Op::kAligned) thread.sizes.push_back(static_cast<char>(log2_alignment));
  add_size(thread, bytes, written_pages);
  return made(number, bytes, written_pages);
}

LiveObject TraceWriter::resize(std::uint32_t number, std::uint64_t time_ns, const LiveObject& old,
                               std::uint64_t bytes, bool moved, std::uint32_t written_pages) {
  Thread& thread = at(number, time_ns, Op::kRealloc);
  if (!moved) thread.ops.back() = static_cast<char>(static_cast<unsigned char>(Op::kRealloc) | kStayed);
  add_size(thread, bytes, written_pages);
  refer(number, old.name);
  gone(old);
  return made(number, bytes, written_pages);
}

void TraceWriter::free(std::uint32_t number, std::uint64_t time_ns, const LiveObject& object) {
  at(number, time_ns, Op::kFree);
  refer(number, object.name);
  gone(object);
}

void TraceWriter::write(std::uint32_t number, std::uint64_t time_ns, LiveObject& object,
                        std::uint32_t pages) {
  if (object.written_pages == kNotTold || pages > pages_of(object.bytes))
    throw std::logic_error(
        fmt::format("trace: {} pages of an object of {} bytes that told of none", pages, object.bytes));
  add_varint(at(number, time_ns, Op::kWrite).sizes, pages);
  refer(number, object.name);
  object.written_pages = pages;
}

void TraceWriter::refused(std::uint32_t number, std::uint64_t time_ns, std::uint64_t bytes) {
  add_varint(at(number, time_ns, Op::kRefused).sizes, bytes);
  ++header_.refused_requests;
}

void TraceWriter::spawn(std::uint32_t parent, std::uint64_t time_ns, std::uint32_t thread) {
  if (thread >= threads_.size()) threads_.resize(std::size_t{thread} + 1);
  if (threads_[thread].spawned)
    throw std::logic_error(fmt::format("trace: thread {} is spawned twice", thread));
  threads_[thread].spawned = true;
  header_.max_live_threads = std::max(header_.max_live_threads, ++live_threads_);
  add_varint(at(parent, time_ns, Op::kSpawn).refs, thread);
}

void TraceWriter::end(std::uint32_t number, std::uint64_t time_ns) {
  at(number, time_ns, Op::kEnd).ended = true;
  --live_threads_;
}

void TraceWriter::flush_segment() {
  if (segment_count_ == 0) return;
  std::sort(busy_.begin(), busy_.end());
  std::string raw;
  add_varint(raw, busy_.size());
  for (const std::uint32_t number : busy_) {
    Thread& thread = threads_[number];
    add_varint(raw, number);
    add_varint(raw, thread.ops.size());
    for (const std::string* column : {&thread.times, &thread.sizes, &thread.refs})
      add_varint(raw, column->size());
    for (std::string* column : {&thread.ops, &thread.times, &thread.sizes, &thread.refs}) {
      raw += *column;
      column->clear();
    }
    thread.made_before_segment = thread.made;
  }
  const std::string frame = compressed(raw);
  index_.push_back({offset_, frame.size(), raw.size(), segment_count_, now_, header_.end_live_objects,
                    header_.end_live_bytes, segment_peak_});
  write(frame);
  header_.max_segment_events = std::max(header_.max_segment_events, segment_count_);
  header_.max_segment_objects = std::max(header_.max_segment_objects, segment_made_);
  header_.max_segment_raw_bytes = std::max<std::uint64_t>(header_.max_segment_raw_bytes, raw.size());
  header_.max_segment_bytes = std::max<std::uint64_t>(header_.max_segment_bytes, frame.size());
  busy_.clear();
  segment_count_ = segment_made_ = 0;
  segment_peak_ = header_.end_live_bytes;
  segment_start_ = now_;
}

Header TraceWriter::finish(End end, const WriterCounts& counts) {
  flush_segment();
  std::string index = bytes_of(index_.data(), index_.size());
  for (const auto& [key, value] : options_.text) {
    std::string line = fmt::format("{}\t{}", key, value);
    std::replace(line.begin(), line.end(), '\n', ' ');
    line.push_back('\n');
    header_.text_bytes += line.size();
    index += line;
  }
  const std::string frame = compressed(index);
  header_.end = static_cast<std::uint32_t>(end);
  header_.segments = index_.size();
  header_.threads = threads_.size();
  header_.duration_ticks = now_;
  header_.repaired_inversions = counts.repaired_inversions;
  header_.unknown_frees = counts.unknown_frees;
  header_.lost_events = counts.lost_events;
  header_.index_offset = offset_;
  header_.index_bytes = frame.size();
  header_.index_raw_bytes = index.size();
  write(frame);
  header_.file_bytes = offset_;
  header_.checksum = fnv1a(&header_, offsetof(Header, checksum));
  file_.seekp(0);
  write(bytes_of(&header_, 1));
  file_.close();
  if (!file_) throw std::system_error(errno, std::generic_category(), path_.string());
  return header_;
}

}  // namespace heapmark::trace
