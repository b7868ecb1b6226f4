// See page_out.h. A page that was written to swap stays in the swap cache, in memory still; read back from
// there it is clean, and the next time it can be dropped. mincore(2) tells of both kinds that they are in
// memory.
#include "workloads/host/page_out.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

#include <cstring>

#include "workloads/contract/report.h"

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

namespace heapmark::host {
namespace {

constexpr std::uintptr_t kPage = 4096;
constexpr int kTries = 9;
constexpr timespec kFirstWait{0, 3'000'000};  // doubled each time: how long the writing takes is the disk's
constexpr double kGone = 0.01;                // no further try where less is left

char text[64 * 1024];
unsigned char in_memory[4096];  // of as many pages at a time

std::uintptr_t hex_at(const char*& at) {
  std::uintptr_t value = 0;
  for (;; ++at) {
    if (*at >= '0' && *at <= '9')
      value = value * 16 + static_cast<std::uintptr_t>(*at - '0');
    else if (*at >= 'a' && *at <= 'f')
      value = value * 16 + static_cast<std::uintptr_t>(*at - 'a' + 10);
    else
      return value;
  }
}

// "55d0a000-55d2b000 rw-p 00000000 00:00 0    [heap]": of no file, writable, not the stack.
bool is_heap(const char* line, AddressRange& range) {
  const char* at = line;
  range.begin = hex_at(at);
  ++at;
  range.end = hex_at(at);
  if (std::strncmp(at, " rw-p ", 6) != 0) return false;
  at += 6;
  hex_at(at);  // offset
  if (std::strncmp(at, " 00:00 0", 8) != 0) return false;
  at += 8;
  while (*at == ' ') ++at;
  return *at == '\0' || std::strcmp(at, "[heap]") == 0 || std::strncmp(at, "[anon:", 6) == 0;
}

// Calls visit(AddressRange) for each range of the heap, without what is spared. False: the file cannot be
// read.
template <typename Visit>
bool for_each_range(const AddressRange* spared, std::size_t spared_count, Visit visit) {
  const int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  std::size_t held = 0;
  for (;;) {
    const ssize_t got = read(fd, text + held, sizeof text - 1 - held);
    if (got <= 0) break;
    held += static_cast<std::size_t>(got);
    char* line = text;
    for (char* end; (end = static_cast<char*>(std::memchr(line, '\n', held - (line - text)))) != nullptr;
         line = end + 1) {
      *end = '\0';
      AddressRange range{};
      if (!is_heap(line, range)) continue;
      for (std::uintptr_t at = range.begin; at < range.end;) {
        std::uintptr_t next = range.end;
        bool is_spared = false;
        for (std::size_t of = 0; of < spared_count; ++of) {
          if (spared[of].begin <= at && at < spared[of].end) {
            is_spared = true;
            next = spared[of].end < range.end ? spared[of].end : range.end;
            break;
          }
          if (spared[of].begin > at && spared[of].begin < next) next = spared[of].begin;
        }
        if (!is_spared) visit(AddressRange{at, next});
        at = next;
      }
    }
    held -= static_cast<std::size_t>(line - text);
    std::memmove(text, line, held);
  }
  close(fd);
  return true;
}

// Pages of the range that are in memory; reads one byte of each where `reads`.
std::uint64_t count_in_memory(AddressRange range, bool reads) {
  std::uint64_t count = 0;
  for (std::uintptr_t at = range.begin; at < range.end; at += sizeof in_memory * kPage) {
    const std::uintptr_t left = range.end - at;
    const std::uintptr_t bytes = left < sizeof in_memory * kPage ? left : sizeof in_memory * kPage;
    if (mincore(reinterpret_cast<void*>(at), bytes, in_memory) != 0) continue;
    for (std::uintptr_t page = 0; page * kPage < bytes; ++page) {
      if ((in_memory[page] & 1) == 0) continue;
      ++count;
      if (reads) (void)*reinterpret_cast<volatile char*>(at + page * kPage);
    }
  }
  return count;
}

}  // namespace

double page_out_heap(const AddressRange* spared, std::size_t spared_count) {
  struct sysinfo machine {};
  if (sysinfo(&machine) != 0 || machine.totalswap == 0) return kNotMeasured;
  const auto in_memory_now = [&](bool reads) {
    std::uint64_t pages = 0;
    return for_each_range(spared, spared_count,
                          [&](AddressRange range) { pages += count_in_memory(range, reads); })
               ? pages
               : 0;
  };
  const std::uint64_t before = in_memory_now(false);
  if (before == 0) return kNotMeasured;
  timespec wait = kFirstWait;
  double left = 1;
  for (int tried = 0; tried < kTries && left > kGone; ++tried) {
    if (tried > 0) {
      nanosleep(&wait, nullptr);
      wait.tv_nsec *= 2;  // 0.8 s in all
      (void)in_memory_now(true);
    }
    // By the raw call, and for the kernel's sake alone: the ledger does not take MADV_PAGEOUT for a purge.
    for_each_range(spared, spared_count, [](AddressRange range) {
      madvise(reinterpret_cast<void*>(range.begin), range.end - range.begin, MADV_PAGEOUT);
    });
    left = static_cast<double>(in_memory_now(false)) / static_cast<double>(before);
  }
  return left;
}

}  // namespace heapmark::host
