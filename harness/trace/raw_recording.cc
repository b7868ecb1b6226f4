// See raw_recording.h.
#include "harness/trace/raw_recording.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <cpuid.h>
#include <x86intrin.h>
#endif

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <map>
#include <stdexcept>
#include <system_error>
#include <tuple>

namespace heapmark::trace {
namespace {

// More than any disk has, so that the file never ends before the budget; halved where the file system or
// RLIMIT_FSIZE does not allow it.
constexpr std::uint64_t kFileBytes = std::uint64_t{1} << 40;
constexpr std::uint64_t kCalibrationNs = 20'000'000;

std::uint64_t clock_ns(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

// Whether the time stamp counter runs at one rate, whatever the CPU does (CPUID 8000_0007h, EDX bit 8: Intel
// SDM volume 3, "Invariant TSC").
RawCounter best_counter() {
  const char* const clock = std::getenv("HEAPMARK_RECORD_CLOCK");
  if (clock != nullptr && *clock != '\0') return RawCounter::kClockNs;
#if defined(__x86_64__)
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (__get_cpuid(0x80000007, &eax, &ebx, &ecx, &edx) != 0 && (edx & 1U << 8) != 0) return RawCounter::kTsc;
#endif
  return RawCounter::kClockNs;
}

std::uint64_t ticks(RawCounter counter) {
#if defined(__x86_64__)
  if (counter == RawCounter::kTsc) return __rdtsc();
#endif
  (void)counter;
  return clock_ns(CLOCK_MONOTONIC);
}

double measured_ns_per_tick(RawCounter counter) {
  if (counter == RawCounter::kClockNs) return 1;
  const std::uint64_t start_ns = clock_ns(CLOCK_MONOTONIC), start = ticks(counter);
  timespec pause{.tv_sec = 0, .tv_nsec = kCalibrationNs};
  ::nanosleep(&pause, nullptr);
  const std::uint64_t end_ns = clock_ns(CLOCK_MONOTONIC), end = ticks(counter);
  return static_cast<double>(end_ns - start_ns) / static_cast<double>(end - start);
}

// Whether a counter may run like that: from 1 THz to 1 MHz. What is damaged need not be a number.
bool is_rate(double ns_per_tick) {
  return ns_per_tick >= 1e-3 && ns_per_tick <= 1e3;
}

[[noreturn]] void fail(const std::filesystem::path& path, int error) {
  throw std::system_error(error, std::generic_category(), path.string());
}

RawControl* map_control(int fd) {
  void* const page = ::mmap(nullptr, kRawPage, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  return page == MAP_FAILED ? nullptr : static_cast<RawControl*>(page);
}

// As long as it may be: a program under RLIMIT_FSIZE then never has to make it longer.
std::uint64_t make_long(int fd) {
  rlimit limit{};
  ::getrlimit(RLIMIT_FSIZE, &limit);
  std::uint64_t bytes = std::min<std::uint64_t>(kFileBytes, limit.rlim_cur) / kRawPage * kRawPage;
  while (bytes > kRawFirstRegion && ::ftruncate(fd, static_cast<off_t>(bytes)) != 0)
    bytes = bytes / 2 / kRawPage * kRawPage;
  return bytes;
}

// Where pages are written to new places each time (btrfs), a store into a mapping could fail for want of
// room.
void forbid_copy_on_write(int fd) {
  int flags = 0;
  if (::ioctl(fd, FS_IOC_GETFLAGS, &flags) != 0) return;
  flags |= FS_NOCOW_FL;
  (void)::ioctl(fd, FS_IOC_SETFLAGS, &flags);  // refused elsewhere, where nothing is to be forbidden
}

std::string lines_of(const Text& text) {
  std::string lines;
  for (const auto& [name, value] : text) {
    std::string line = name + "=" + value;
    std::replace(line.begin(), line.end(), '\n', ' ');
    lines += line + "\n";
  }
  if (lines.size() > kRawPage - 1) lines.resize(kRawPage - 1);
  return lines;
}

std::string words_of(const char* command, std::size_t room) {
  std::string words(command, room);
  const std::size_t end = words.find(std::string_view("\0\0", 2));
  if (end != std::string::npos) words.resize(end);
  std::replace(words.begin(), words.end(), '\0', ' ');
  return words;
}

// Where the chunk's last byte that is not 0 stands.
std::size_t end_of_data(int fd, const RawChunkPlace& chunk) {
  std::string bytes(chunk.bytes, '\0');
  bytes.resize(read_chunk(fd, chunk, bytes.data(), bytes.size(), 0));
  const std::size_t last = bytes.find_last_not_of('\0');
  return last == std::string::npos ? 0 : last + 1;
}

// A chunk may stand in the file twice: in the buffer that it was in and not yet cleared, and, at a higher
// offset, as it was written out, which a full disk or a kill may have cut short.
void sort_and_drop_copies(int fd, std::vector<RawChunkPlace>& chunks) {
  const auto key = [](const RawChunkPlace& one) { return std::tuple(one.thread, one.sequence, one.offset); };
  std::sort(chunks.begin(), chunks.end(), [&](const auto& a, const auto& b) { return key(a) < key(b); });
  std::size_t kept = 0;
  for (std::size_t at = 1; at < chunks.size(); ++at) {
    const bool copy =
        chunks[kept].thread == chunks[at].thread && chunks[kept].sequence == chunks[at].sequence;
    if (!copy)
      chunks[++kept] = chunks[at];
    else if (end_of_data(fd, chunks[at]) >= end_of_data(fd, chunks[kept]))
      chunks[kept] = chunks[at];
  }
  if (!chunks.empty()) chunks.resize(kept + 1);
}

// Calls `found` with the first 4 KiB of each region.
template <typename Found>
void for_each_region(const RawRecording& recording, const Found& found) {
  struct stat file {};
  if (::fstat(recording.fd(), &file) != 0) throw std::system_error(errno, std::generic_category(), "fstat");
  const std::uint64_t end =
      std::min<std::uint64_t>(recording.control().next_offset, static_cast<std::uint64_t>(file.st_size));
  alignas(8) std::array<char, kRawPage> page{};
  std::uint64_t offset = kRawFirstRegion;
  while (offset + kRawPage <= end) {
    if (read_at(recording.fd(), page.data(), page.size(), offset) < page.size()) break;
    std::uint64_t magic = 0;
    std::uint32_t length = 0;
    std::memcpy(&magic, page.data(), sizeof magic);
    std::memcpy(&length, page.data() + sizeof magic, sizeof length);
    const bool known = (magic == kRawChunkMagic || magic == kRawImageMagic) && length >= kRawPage &&
                       length <= kRawChunkBytes && length % kRawPage == 0 && offset + length <= end;
    if (known) {
      found(magic, page.data(), offset);
      offset += length;
      continue;
    }
    // A hole, or what a buffer holds behind the chunk that was last written out from it.
    const off_t data = ::lseek(recording.fd(), static_cast<off_t>(offset + kRawPage), SEEK_DATA);
    if (data < 0) break;
    offset = std::max(offset + kRawPage, static_cast<std::uint64_t>(data) / kRawPage * kRawPage);
  }
}

struct Found {
  std::map<std::uint32_t, RawProcess> processes;
  std::vector<std::uint64_t> regions;                          // image, offset and sequence of each chunk
  std::vector<std::pair<std::uint32_t, std::size_t>> buffers;  // image, place in its chunks
};

Found look_for_regions(const RawRecording& recording) {
  Found found;
  for_each_region(recording, [&](std::uint64_t magic, const char* page, std::uint64_t offset) {
    if (magic == kRawImageMagic) {
      const auto& image = *reinterpret_cast<const RawImage*>(page);
      RawProcess& process = found.processes[image.image];
      process.pid = image.pid;
      process.parent_pid = image.parent_pid;
      process.start_ticks = image.start_ticks;
      process.start_unix_ns = image.start_unix_ns;
      process.forked = image.forked != 0;
      process.exited = image.exited != 0;
      process.tells_written = image.tells_written != 0;
      process.command = words_of(image.command, sizeof image.command);
    } else {
      const auto& chunk = *reinterpret_cast<const RawChunk*>(page);
      std::vector<RawChunkPlace>& chunks = found.processes[chunk.image].chunks;
      // What was written out says where its buffer is.
      if (chunk.file_offset == offset) found.buffers.emplace_back(chunk.image, chunks.size());
      found.regions.insert(found.regions.end(), {chunk.image, offset, chunk.sequence});
      chunks.push_back({offset, chunk.length, chunk.thread, chunk.sequence, chunk.start_time, nullptr});
    }
  });
  return found;
}

// False where it changes meanwhile. A buffer that is written out may be shorter by then than its room.
bool copy_buffer(int fd, RawChunkPlace& chunk, std::uint32_t image) {
  std::string first(chunk.bytes, '\0'), second(chunk.bytes, '\0');
  for (std::string* copy : {&first, &second})
    copy->resize(read_at(fd, copy->data(), copy->size(), chunk.offset));
  RawChunk header{};
  if (first != second || first.size() < sizeof header) return false;
  std::memcpy(&header, first.data(), sizeof header);
  if (header.magic != kRawChunkMagic || header.image != image || header.thread != chunk.thread ||
      header.sequence != chunk.sequence)
    return false;
  chunk.copy = std::make_shared<const std::string>(std::move(first));
  return true;
}

// What no thread changes any more; see processes_of().
Found look_while_they_work(const RawRecording& recording) {
  constexpr int kTries = 500;
  constexpr timespec kPause{.tv_sec = 0, .tv_nsec = 10'000'000};
  for (int tries = 0; tries < kTries; ++tries) {
    if (tries > 0) ::nanosleep(&kPause, nullptr);
    Found found = look_for_regions(recording);
    const bool copied = std::all_of(found.buffers.begin(), found.buffers.end(), [&](const auto& buffer) {
      return copy_buffer(recording.fd(), found.processes[buffer.first].chunks[buffer.second], buffer.first);
    });
    if (copied && look_for_regions(recording).regions == found.regions) return found;
  }
  throw std::runtime_error("the recorded program still writes into its recording");
}

}  // namespace

std::size_t read_chunk(int fd, const RawChunkPlace& chunk, void* to, std::size_t count, std::size_t at) {
  if (!chunk.copy) return read_at(fd, to, count, chunk.offset + at);
  return chunk.copy->copy(static_cast<char*>(to), count, std::min(at, chunk.copy->size()));
}

std::size_t read_at(int fd, void* to, std::size_t count, std::uint64_t offset) {
  std::size_t have = 0;
  while (have < count) {
    const ssize_t now =
        ::pread(fd, static_cast<char*>(to) + have, count - have, static_cast<off_t>(offset + have));
    if (now < 0 && errno == EINTR) continue;
    if (now < 0) throw std::system_error(errno, std::generic_category(), "reading the recording");
    if (now == 0) break;
    have += static_cast<std::size_t>(now);
  }
  return have;
}

RawRecording RawRecording::create(const std::filesystem::path& path, const RawOptions& options) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) fail(path, errno);
  forbid_copy_on_write(fd);
  const std::string lines = lines_of(options.text);
  const std::uint64_t bytes = make_long(fd);
  // The first two pages are written, so that they have their blocks on the disk.
  const std::string zeros(kRawPage, '\0');
  RawControl* control = nullptr;
  if (bytes <= kRawFirstRegion || ::pwrite(fd, zeros.data(), kRawPage, 0) != static_cast<ssize_t>(kRawPage) ||
      ::pwrite(fd, (lines + zeros).data(), kRawPage, kRawTextOffset) != static_cast<ssize_t>(kRawPage) ||
      (control = map_control(fd)) == nullptr) {
    const int error = errno == 0 ? ENOSPC : errno;
    ::close(fd);
    ::unlink(path.c_str());
    fail(path, error);
  }
  control->version = kRawVersion;
  control->counter = best_counter();
  control->time_shift = control->counter == RawCounter::kTsc ? kRawTscShift : kRawClockShift;
  control->signal = options.signal;
  control->file_bytes = bytes;
  control->budget_bytes = options.budget_bytes;
  control->ns_per_tick = measured_ns_per_tick(control->counter);
  control->start_ns = clock_ns(CLOCK_MONOTONIC);
  control->start_ticks = ticks(control->counter);
  control->start_unix_ns = clock_ns(CLOCK_REALTIME);
  control->next_offset = kRawFirstRegion;
  control->state = options.signal != 0 ? RawState::kWaiting : RawState::kOn;
  control->magic = kRawControlMagic;
  return {fd, control};
}

RawRecording RawRecording::open(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) fail(path, errno);
  struct stat file {};
  ::fstat(fd, &file);
  RawControl* const control =
      S_ISREG(file.st_mode) && static_cast<std::uint64_t>(file.st_size) >= kRawFirstRegion ? map_control(fd)
                                                                                           : nullptr;
  RawRecording recording(fd, control);
  if (control == nullptr || control->magic != kRawControlMagic)
    throw std::runtime_error(fmt::format("{} is no raw recording of heapmark", path.string()));
  if (control->version < kRawOldestVersion || control->version > kRawVersion)
    throw std::runtime_error(
        fmt::format("{} is a raw recording of version {}; this heapmark reads versions {} to {}",
                    path.string(), control->version, kRawOldestVersion, kRawVersion));
  if (control->counter > RawCounter::kTsc || control->time_shift > 16 || !is_rate(control->ns_per_tick))
    throw std::runtime_error(
        fmt::format("{} is damaged: its control page is not that of a recording", path.string()));
  return recording;
}

RawRecording::RawRecording(RawRecording&& other) noexcept : fd_(other.fd_), control_(other.control_) {
  other.fd_ = -1;
  other.control_ = nullptr;
}

RawRecording::~RawRecording() {
  if (control_ != nullptr) ::munmap(control_, kRawPage);
  if (fd_ >= 0) ::close(fd_);
}

Text RawRecording::text() const {
  std::string page(kRawPage, '\0');
  page.resize(read_at(fd_, page.data(), page.size(), kRawTextOffset));
  page.resize(std::min(page.find('\0'), page.size()));
  Text text;
  for (std::size_t at = 0; at < page.size();) {
    const std::size_t end = std::min(page.find('\n', at), page.size());
    const std::string line = page.substr(at, end - at);
    if (const std::size_t equals = line.find('='); equals != std::string::npos)
      text.emplace_back(line.substr(0, equals), line.substr(equals + 1));
    at = end + 1;
  }
  return text;
}

void RawRecording::end(RawReason reason) const {
  RawReason none = RawReason::kNone;
  control_->reason.compare_exchange_strong(none, reason);
  control_->state = RawState::kEnded;
}

void RawRecording::note_end() const {
  if (control_->end_ns != 0) return;
  control_->end_ns = clock_ns(CLOCK_MONOTONIC);
  control_->end_ticks = ticks(control_->counter);
}

std::uint64_t RawProcess::bytes() const {
  std::uint64_t bytes = 0;
  for (const RawChunkPlace& chunk : chunks) bytes += chunk.bytes;
  return bytes;
}

std::vector<RawProcess> processes_of(const RawRecording& recording, Writers writers) {
  Found found = writers == Writers::kGone ? look_for_regions(recording) : look_while_they_work(recording);
  std::vector<RawProcess> processes;
  for (auto& [image, process] : found.processes) {
    process.image = image;
    if (process.chunks.empty()) continue;
    sort_and_drop_copies(recording.fd(), process.chunks);
    processes.push_back(std::move(process));
  }
  const auto main = std::find_if(processes.begin(), processes.end(), [&](const RawProcess& process) {
    return process.pid == recording.control().main_pid;
  });
  if (main != processes.end()) std::rotate(processes.begin(), main, main + 1);
  return processes;
}

double ns_per_tick(const RawRecording& recording) {
  const RawControl& control = recording.control();
  if (control.counter == RawCounter::kClockNs) return 1;
  std::uint64_t end_ticks = control.end_ticks, end_ns = control.end_ns;
  if (end_ns == 0)  // the tool was killed: the latest chunk's moment
    for_each_region(recording, [&](std::uint64_t magic, const char* page, std::uint64_t) {
      const auto& chunk = *reinterpret_cast<const RawChunk*>(page);
      if (magic != kRawChunkMagic || chunk.ns <= end_ns) return;
      end_ns = chunk.ns;
      end_ticks = chunk.ticks;
    });
  // Over a shorter time the measurement before the start is the better one.
  if (end_ns <= control.start_ns + kCalibrationNs || end_ticks <= control.start_ticks)
    return control.ns_per_tick;
  const double rate =
      static_cast<double>(end_ns - control.start_ns) / static_cast<double>(end_ticks - control.start_ticks);
  return is_rate(rate) ? rate : control.ns_per_tick;
}

}  // namespace heapmark::trace
