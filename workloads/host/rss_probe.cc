// heapmark-rss-probe: how stale /proc/self/statm is on this kernel, against /proc/self/smaps_rollup and the
// truth. Touches pages one by one, from one thread and from several on different CPUs, and after each asks
// both. What it prints is discussed in docs/rss.md.   Usage: heapmark-rss-probe [PAGES]
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

constexpr long kPage = 4096;
int statm_fd, rollup_fd;
volatile char* pages;
long page_count = 4096;

long number_after(const char* text, const char* key) {
  const char* at = std::strstr(text, key);
  return at == nullptr ? -1 : std::strtol(at + std::strlen(key), nullptr, 10);
}

long statm_anonymous_pages() {
  char text[256] = {};
  if (pread(statm_fd, text, sizeof text - 1, 0) <= 0) return -1;
  char* at = text;
  std::strtol(at, &at, 10);
  const long resident = std::strtol(at, &at, 10);
  return resident - std::strtol(at, &at, 10);
}

long rollup_anonymous_pages() {
  char text[4096] = {};
  if (pread(rollup_fd, text, sizeof text - 1, 0) <= 0) return -1;
  return number_after(text, "\nAnonymous:") * 1024 / kPage;
}

struct Share {
  long first, last;
  int cpu;
};

void* touch(void* argument) {
  const Share& share = *static_cast<Share*>(argument);
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(share.cpu, &one);
  sched_setaffinity(0, sizeof one, &one);
  for (long page = share.first; page < share.last; ++page) pages[page * kPage] = 1;
  return nullptr;
}

void from_one_thread() {
  statm_anonymous_pages();  // once before, so that the reader's own pages are there already
  rollup_anonymous_pages();
  const long statm_before = statm_anonymous_pages(), rollup_before = rollup_anonymous_pages();
  long statm_wrong = 0, statm_worst = 0, rollup_wrong = 0;
  for (long page = 0; page < page_count; ++page) {
    pages[page * kPage] = 1;
    const long statm = statm_anonymous_pages() - statm_before,
               rollup = rollup_anonymous_pages() - rollup_before;
    statm_wrong += statm != page + 1;
    statm_worst = std::max(statm_worst, std::labs(page + 1 - statm));
    rollup_wrong += rollup != page + 1;
  }
  std::printf("one thread, %ld pages touched one by one:\n", page_count);
  std::printf("  statm:        wrong after %ld of them, by at most %ld pages\n", statm_wrong, statm_worst);
  std::printf("  smaps_rollup: wrong after %ld of them\n", rollup_wrong);
}

void from_threads(long threads, long cpus) {
  const long statm_before = statm_anonymous_pages(), rollup_before = rollup_anonymous_pages();
  constexpr long kMost = 64;
  pthread_t handles[kMost];
  Share shares[kMost];
  threads = std::min(threads, kMost);
  for (long at = 0; at < threads; ++at) {
    shares[at] = {page_count * at / threads, page_count * (at + 1) / threads, static_cast<int>(at % cpus)};
    pthread_create(&handles[at], nullptr, touch, &shares[at]);
  }
  for (long at = 0; at < threads; ++at) pthread_join(handles[at], nullptr);
  std::printf("%ld threads on %ld CPUs, %ld pages in all (their stacks and malloc arenas count too):\n",
              threads, cpus, page_count);
  std::printf("  statm: +%ld pages, smaps_rollup: +%ld pages\n", statm_anonymous_pages() - statm_before,
              rollup_anonymous_pages() - rollup_before);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1) page_count = std::strtol(argv[1], nullptr, 10);
  if (page_count < 1) return 2;
  statm_fd = open("/proc/self/statm", O_RDONLY);
  rollup_fd = open("/proc/self/smaps_rollup", O_RDONLY);
  utsname machine{};
  uname(&machine);
  const long cpus = sysconf(_SC_NPROCESSORS_ONLN);
  std::printf("Linux %s, %ld CPUs\n", machine.release, cpus);
  for (int run = 0; run < 2; ++run) {
    void* memory = mmap(nullptr, static_cast<std::size_t>(page_count * kPage), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return 1;
    madvise(memory, static_cast<std::size_t>(page_count * kPage), MADV_NOHUGEPAGE);
    pages = static_cast<char*>(memory);
    if (run == 0)
      from_one_thread();
    else
      from_threads(4 * cpus, cpus);
    munmap(memory, static_cast<std::size_t>(page_count * kPage));
  }
  return 0;
}
