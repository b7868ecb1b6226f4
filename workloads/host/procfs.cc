// See procfs.h.
#include "workloads/host/procfs.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>

namespace heapmark::host {
namespace {

constexpr std::uint64_t kPage = 4096;  // x86-64 and the arm64 kernels of Debian
constexpr int kTrialPages = 64;

int statm_fd = -1, rollup_fd = -1, status_fd = -1;
bool statm_is_exact = true;

struct File {
  char text[4096];
  explicit File(int fd) {
    const ssize_t got = pread(fd, text, sizeof text - 1, 0);
    text[got > 0 ? got : 0] = '\0';
  }
};

std::uint64_t number_at(const char*& at) {
  while (*at == ' ' || *at == '\t') ++at;
  std::uint64_t value = 0;
  while (*at >= '0' && *at <= '9') value = value * 10 + static_cast<std::uint64_t>(*at++ - '0');
  return value;
}

std::uint64_t kib_after(const char* text, const char* key) {
  const char* at = std::strstr(text, key);
  if (at == nullptr) return 0;
  at += std::strlen(key);
  return number_at(at) * 1024;
}

Memory from_statm() {
  const File file(statm_fd);
  const char* at = file.text;
  const std::uint64_t size = number_at(at), resident = number_at(at), shared = number_at(at);
  return {(resident - shared) * kPage, shared * kPage, size * kPage};
}

// Touches pages one by one and looks whether each is counted as soon as it is there.
bool statm_counts_each_page() {
  void* pages =
      mmap(nullptr, kTrialPages * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) return false;
  madvise(pages, kTrialPages * kPage, MADV_NOHUGEPAGE);
  const std::uint64_t before = from_statm().anonymous_bytes;
  bool exact = true;
  for (std::uint64_t page = 0; page < kTrialPages; ++page) {
    static_cast<volatile char*>(pages)[page * kPage] = 1;
    exact = exact && from_statm().anonymous_bytes == before + (page + 1) * kPage;
  }
  munmap(pages, kTrialPages * kPage);
  return exact;
}

}  // namespace

const char* open_procfs() {
  statm_fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  rollup_fd = open("/proc/self/smaps_rollup", O_RDONLY | O_CLOEXEC);
  status_fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
  { const File warm_stack(statm_fd); }  // the reader's own stack page is touched before anything is counted
  statm_is_exact = rollup_fd < 0 || statm_counts_each_page();
  return statm_is_exact ? "statm" : "smaps_rollup";
}

Memory read_memory_quickly() {
  return from_statm();
}

Memory read_memory() {
  Memory memory = from_statm();
  if (statm_is_exact) return memory;
  const File file(rollup_fd);
  const std::uint64_t rss = kib_after(file.text, "\nRss:");
  memory.anonymous_bytes = kib_after(file.text, "\nAnonymous:");
  memory.file_bytes = rss - memory.anonymous_bytes;
  return memory;
}

bool reset_peak() {
  const int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool done = write(fd, "5", 1) == 1;
  close(fd);
  return done;
}

std::uint64_t peak_bytes() {
  return kib_after(File(status_fd).text, "\nVmHWM:");
}

std::int64_t program_break() {
  return syscall(SYS_brk, 0);
}

}  // namespace heapmark::host
