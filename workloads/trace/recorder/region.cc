// See region.h.
#include "workloads/trace/recorder/region.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23  // Linux 5.14
#endif

namespace heapmark::recorder {
namespace {

// Where programs seldom have descriptors, below the usual soft limit of 1024.
constexpr int kHighDescriptor = 900;
constexpr std::size_t kLongestPath = 4096;

char file_path[kLongestPath];
dev_t file_device;
ino_t file_inode;
std::atomic<int> kept_descriptor{-1};

bool is_recording(int fd) {
  struct stat file {};
  return fstat(fd, &file) == 0 && file.st_dev == file_device && file.st_ino == file_inode;
}

// The kept descriptor where the program has not closed it, else a new one, which `opened` says is to be
// closed.
int descriptor(bool& opened) {
  opened = false;
  const int kept = kept_descriptor.load(std::memory_order_relaxed);
  if (kept >= 0 && is_recording(kept)) return kept;
  const int fd = open_quietly(file_path, O_RDWR | O_NOCTTY);
  if (fd < 0) return -1;
  opened = true;
  if (is_recording(fd)) return fd;
  close_quietly(fd);
  return -1;
}

// A write beyond it would end the program with SIGXFSZ; a store into a mapping does not.
bool within_file_limit(std::uint64_t end) {
  rlimit limit{};
  return getrlimit(RLIMIT_FSIZE, &limit) == 0 && (limit.rlim_cur == RLIM_INFINITY || end <= limit.rlim_cur);
}

bool copy_through_mapping(RawControl& control, const void* bytes, std::size_t count, std::uint64_t offset) {
  unsigned char* const place = map_region(control, offset, count);
  if (place == nullptr) {
    end_recording(control, RawReason::kAddressSpace);
    return false;
  }
  const bool there = populate(control, place, offset, count);
  if (there) std::memcpy(place, bytes, count);
  munmap(place, count);
  return there;
}

}  // namespace

int open_quietly(const char* path, int flags) {
  return static_cast<int>(syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, 0));
}

long read_quietly(int fd, void* bytes, std::size_t count) {
  return syscall(SYS_read, fd, bytes, count);
}

void close_quietly(int fd) {
  syscall(SYS_close, fd);
}

RawControl* open_recording(const char* path) {
  const std::size_t length = std::strlen(path);
  if (length >= kLongestPath) return nullptr;
  std::memcpy(file_path, path, length + 1);
  const int fd = open_quietly(path, O_RDWR | O_NOCTTY);
  if (fd < 0) return nullptr;
  struct stat file {};
  void* const page = fstat(fd, &file) == 0 && static_cast<std::uint64_t>(file.st_size) > kRawFirstRegion
                         ? mmap(nullptr, kRawPage, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
                         : MAP_FAILED;
  auto* const control = page != MAP_FAILED ? static_cast<RawControl*>(page) : nullptr;
  if (control == nullptr || control->magic != kRawControlMagic || control->version != kRawVersion) {
    if (control != nullptr) munmap(page, kRawPage);
    close_quietly(fd);
    return nullptr;
  }
  file_device = file.st_dev;
  file_inode = file.st_ino;
  kept_descriptor.store(static_cast<int>(syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, kHighDescriptor)),
                        std::memory_order_relaxed);
  close_quietly(fd);
  return control;
}

void end_recording(RawControl& control, RawReason reason) {
  RawReason none = RawReason::kNone;
  control.reason.compare_exchange_strong(none, reason);
  control.state.store(RawState::kEnded);
}

std::uint64_t claim(RawControl& control, std::size_t bytes) {
  const std::uint64_t offset = control.next_offset.fetch_add(bytes);
  if (offset + bytes <= control.file_bytes) return offset;
  end_recording(control, RawReason::kBudget);
  return 0;
}

bool charge(RawControl& control, std::size_t bytes) {
  if (control.used_bytes.fetch_add(bytes) + bytes <= control.budget_bytes) return true;
  control.used_bytes.fetch_sub(bytes);
  end_recording(control, RawReason::kBudget);
  return false;
}

unsigned char* map_region(RawControl& control, std::uint64_t offset, std::size_t bytes) {
  bool opened = false;
  const int fd = descriptor(opened);
  unsigned char* region = nullptr;
  if (fd >= 0) {
    void* const mapped =
        mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, static_cast<off_t>(offset));
    if (opened) close_quietly(fd);
    if (mapped == MAP_FAILED) return nullptr;
    region = static_cast<unsigned char*>(mapped);
  } else {
    // All of the file up to the region's end, without a page of it, and then only the region. What is locked
    // would be read in as a whole (mlockall(2)).
    munlock(&control, kRawPage);
    void* const mapped = mremap(&control, 0, offset + bytes, MREMAP_MAYMOVE);
    if (mapped == MAP_FAILED) return nullptr;
    munmap(mapped, offset);
    region = static_cast<unsigned char*>(mapped) + offset;
  }
  madvise(region, bytes, MADV_DONTFORK);
  return region;
}

bool populate(RawControl& control, unsigned char* mapped, std::uint64_t offset, std::size_t bytes) {
  if (madvise(mapped, bytes, MADV_POPULATE_WRITE) == 0) return true;
  if (errno == EINVAL && within_file_limit(offset + bytes)) {  // an older kernel
    bool opened = false;
    const int fd = descriptor(opened);
    const bool allocated = fd >= 0 && syscall(SYS_fallocate, fd, 0, offset, bytes) == 0;
    if (opened) close_quietly(fd);
    if (allocated) return true;
  }
  end_recording(control, RawReason::kDisk);
  return false;
}

bool write_out(RawControl& control, const void* bytes, std::size_t count, std::uint64_t offset) {
  bool opened = false;
  const int fd = within_file_limit(offset + count) ? descriptor(opened) : -1;
  if (fd < 0) return copy_through_mapping(control, bytes, count, offset);
  const auto* from = static_cast<const unsigned char*>(bytes);
  std::size_t written = 0;
  while (written < count) {
    const long now = syscall(SYS_pwrite64, fd, from + written, count - written, offset + written);
    if (now < 0 && errno == EINTR) continue;
    if (now <= 0) break;
    written += static_cast<std::size_t>(now);
  }
  if (opened) close_quietly(fd);
  if (written == count) return true;
  end_recording(control, RawReason::kDisk);
  return false;
}

}  // namespace heapmark::recorder
