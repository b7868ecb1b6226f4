// See os.h. The break is moved by the C library's brk(), one system call, so that sbrk() in the program keeps
// a right idea of where it is; where it is now is asked of the kernel itself.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <string_view>

#include "allocators/brkmmap/os.h"
#include "allocators/brkmmap/pages.h"

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

// The first bytes of a small file; none where it can't be read.
template <std::size_t kBytes>
std::string_view first_of(const char* path, char (&text)[kBytes]) noexcept {
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return {};
  const ssize_t length = read(file, text, kBytes);
  close(file);
  return {text, static_cast<std::size_t>(std::max<ssize_t>(length, 0))};
}

// The number that a text begins with; 0 where there is none.
std::size_t number_of(std::string_view text) noexcept {
  std::size_t number = 0;
  for (const char digit : text) {
    if (digit < '0' || digit > '9') break;
    number = number * 10 + static_cast<std::size_t>(digit - '0');
  }
  return number;
}

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

bool has_huge_pages() noexcept {
  const KeepErrno keep;
  if (prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0) == 1) return false;
  char text[64];
  const std::string_view size = first_of("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size", text);
  if (number_of(size) != kHugePage) return false;
  const std::string_view enabled = first_of("/sys/kernel/mm/transparent_hugepage/enabled", text);
  return !enabled.empty() && enabled.find("[never]") == std::string_view::npos;
}

// A touch brings a huge page, or a small one where there is none: then the next small page is not there. The
// advice is taken back at once: else khugepaged would make a huge page again of any few small ones that stay
// when the others are purged.
bool fault_in_huge_pages(std::uintptr_t address, std::size_t bytes) noexcept {
  const KeepErrno keep;
  void* memory = reinterpret_cast<void*>(address);
  if (madvise(memory, bytes, MADV_HUGEPAGE) != 0) return false;
  bool all = true;
  for (std::size_t at = 0; all && at < bytes; at += kHugePage) {
    *reinterpret_cast<volatile char*>(address + at) = 0;
    unsigned char next = 0;
    all =
        mincore(reinterpret_cast<void*>(address + at + kPageSize), kPageSize, &next) == 0 && (next & 1) != 0;
  }
  return madvise(memory, bytes, MADV_NOHUGEPAGE) == 0 && all;
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
  char text[64];
  const std::size_t count = number_of(first_of("/proc/sys/vm/max_map_count", text));
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
