// See os.h. The break is moved by the C library's brk(), one system call, so that sbrk() in the program keeps
// a right idea of where it is; where it is now is asked of the kernel itself.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include "allocators/brkmmap/os.h"

namespace brkmmap::os {
namespace {

constexpr int kProtection = PROT_READ | PROT_WRITE;
constexpr int kFlags = MAP_PRIVATE | MAP_ANONYMOUS;

class KeepErrno {
 public:
  ~KeepErrno() { errno = kept_; }

 private:
  int kept_ = errno;
};

}  // namespace

void* map(std::size_t bytes) noexcept {
  const KeepErrno keep;
  void* address = mmap(nullptr, bytes, kProtection, kFlags, -1, 0);
  return address == MAP_FAILED ? nullptr : address;
}

bool map_at(std::uintptr_t address, std::size_t bytes) noexcept {
  const KeepErrno keep;
  void* wanted = reinterpret_cast<void*>(address);
  void* got = mmap(wanted, bytes, kProtection, kFlags | MAP_FIXED_NOREPLACE, -1, 0);
  return got == wanted;  // kernels before 4.17 take the flag for a hint; Debian 12 has 6.1
}

bool unmap(std::uintptr_t address, std::size_t bytes) noexcept {
  const KeepErrno keep;
  return munmap(reinterpret_cast<void*>(address), bytes) == 0;
}

bool purge(std::uintptr_t address, std::size_t bytes) noexcept {
  const KeepErrno keep;
  return madvise(reinterpret_cast<void*>(address), bytes, MADV_DONTNEED) == 0;
}

void want_huge_pages(std::uintptr_t address, std::size_t bytes) noexcept {
  const KeepErrno keep;
  if (madvise(reinterpret_cast<void*>(address), bytes, MADV_HUGEPAGE) != 0) return;  // a kernel without them
}

void* remap(std::uintptr_t address, std::size_t old_bytes, std::size_t new_bytes) noexcept {
  const KeepErrno keep;
  void* moved = mremap(reinterpret_cast<void*>(address), old_bytes, new_bytes, MREMAP_MAYMOVE);
  return moved == MAP_FAILED ? nullptr : moved;
}

bool extend(std::uintptr_t address, std::size_t old_bytes, std::size_t new_bytes) noexcept {
  const KeepErrno keep;
  return mremap(reinterpret_cast<void*>(address), old_bytes, new_bytes, 0) != MAP_FAILED;
}

// Refused where there are too many mappings, which the kernel finds out before it changes anything. Were it
// to fail later, what lay there is gone: it is mapped again, over nothing, that is, only in that case.
bool move(std::uintptr_t from, std::size_t bytes, std::uintptr_t to) noexcept {
  const KeepErrno keep;
  void* wanted = reinterpret_cast<void*>(to);
  if (mremap(reinterpret_cast<void*>(from), bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, wanted) == wanted)
    return true;
  (void)map_at(to, bytes);
  return false;
}

std::size_t most_bytes() noexcept {
  const KeepErrno keep;
  std::size_t most = SIZE_MAX;
  for (const auto resource : {RLIMIT_AS, RLIMIT_DATA}) {
    rlimit limit{};
    if (getrlimit(resource, &limit) == 0 && limit.rlim_cur < most) most = limit.rlim_cur;
  }
  struct sysinfo machine {};
  if (sysinfo(&machine) == 0)
    most = std::min<std::size_t>(most, (machine.totalram + machine.totalswap) * machine.mem_unit);
  return most;
}

std::size_t most_mappings() noexcept {
  const KeepErrno keep;
  std::size_t count = 0;
  char text[24];
  const int file = open("/proc/sys/vm/max_map_count", O_RDONLY | O_CLOEXEC);
  if (file >= 0) {
    const ssize_t length = read(file, text, sizeof text);
    close(file);
    for (ssize_t at = 0; at < length && text[at] >= '0' && text[at] <= '9'; ++at)
      count = count * 10 + static_cast<std::size_t>(text[at] - '0');
  }
  return count != 0 ? count : 65530;
}

std::uint64_t milliseconds() noexcept {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);  // from the vdso: no system call
  return static_cast<std::uint64_t>(now.tv_sec) * 1000 + static_cast<std::uint64_t>(now.tv_nsec) / 1'000'000;
}

std::uintptr_t program_break() noexcept {
  return static_cast<std::uintptr_t>(syscall(SYS_brk, 0));
}

bool set_break(std::uintptr_t address) noexcept {
  const KeepErrno keep;
  return brk(reinterpret_cast<void*>(address)) == 0;
}

}  // namespace brkmmap::os
