// See trace_source.h.
#include "workloads/trace/trace_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "workloads/text.h"

namespace heapmark::replay {
namespace {

// The kernel is asked for so much at a time, ahead of what is read.
constexpr std::uint64_t kReadAheadBytes = 8 * 1024 * 1024;

const char* trace_path = "";

void to_hexadecimal(std::uint64_t value, char (&to)[17]) {
  for (int digit = 0; digit < 16; ++digit) to[digit] = "0123456789abcdef"[value >> (60 - 4 * digit) & 15U];
  to[16] = '\0';
}

}  // namespace

void refuse(Context& context, const char* what) {
  Message message;
  context.fail(Outcome::kRefused, message.add("the trace ").add(trace_path).add(": ").add(what).c_str());
}

void TraceSource::read_bytes(Context& context, void* to, std::uint64_t offset, std::uint64_t bytes) const {
  char* at = static_cast<char*>(to);
  while (bytes > 0) {
    const ssize_t got = pread(fd_, at, bytes, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) refuse(context, "the file cannot be read to its end");
    at += got;
    offset += static_cast<std::uint64_t>(got);
    bytes -= static_cast<std::uint64_t>(got);
  }
}

void TraceSource::open(Context& context, const char* path, const char* identity) {
  trace_path = path;
  if (*path == '\0') context.fail(Outcome::kUsage, "no trace is given: -w trace:FILE");
  fd_ = ::open(path, O_RDONLY | O_CLOEXEC);
  struct stat about {};
  if (fd_ < 0 || fstat(fd_, &about) != 0 || !S_ISREG(about.st_mode)) refuse(context, "no such file");
  const auto file_bytes = static_cast<std::uint64_t>(about.st_size);
  trace::Header start{};
  const std::uint64_t start_bytes = file_bytes < sizeof start ? file_bytes : sizeof start;
  read_bytes(context, &start, 0, start_bytes);
  if (const trace::Error error = file_.open_start(&start, start_bytes, file_bytes)) refuse(context, error);
  char checksum[17];
  to_hexadecimal(header().checksum, checksum);
  if (*identity != '\0' && std::strcmp(identity, checksum) != 0)
    refuse(context, "the file is another one than when the run was planned");
  const std::uint64_t frame =
      header().index_bytes > header().max_segment_bytes ? header().index_bytes : header().max_segment_bytes;
  frame_ = context.own_memory(frame);
  raw_ = context.own_memory(header().max_segment_raw_bytes + 1);
  workspace_ = context.own_memory(trace::TraceFile::workspace_bytes());
  void* const index = context.own_memory(header().index_raw_bytes + 1);
  read_bytes(context, frame_, header().index_offset, header().index_bytes);
  if (const trace::Error error = file_.read_index(frame_, index, workspace_)) refuse(context, error);
}

const void* TraceSource::read(Context& context, std::uint64_t number) {
  const trace::SegmentEntry& entry = file_.segment(number);
  if (entry.offset < read_ahead_to_ && read_ahead_to_ > kReadAheadBytes &&
      entry.offset < read_ahead_to_ - kReadAheadBytes)
    read_ahead_to_ = 0;  // from the start again
  if (entry.offset + entry.bytes > read_ahead_to_) {
    posix_fadvise(fd_, static_cast<off_t>(entry.offset), kReadAheadBytes * 2, POSIX_FADV_WILLNEED);
    read_ahead_to_ = entry.offset + kReadAheadBytes;
  }
  read_bytes(context, frame_, entry.offset, entry.bytes);
  if (const trace::Error error = file_.read_segment(number, frame_, raw_, workspace_)) refuse(context, error);
  return raw_;
}

}  // namespace heapmark::replay
