/* A malloc that reads the clock at each call, as allocators that purge by time do: preloaded as the allocator
 * under test, it passes each call on to the C library's own and writes into a file (named by
 * HEAPMARK_CLOCK_FILE) by how much the clock it is given is behind the kernel's. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

extern void* __libc_malloc(size_t);
extern void* __libc_calloc(size_t, size_t);
extern void* __libc_realloc(void*, size_t);
extern void* __libc_memalign(size_t, size_t);
extern void __libc_free(void*);

enum { kClocks = 5, kRecent = 64 };
static const clockid_t clocks[kClocks] = {CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_MONOTONIC_COARSE,
                                          CLOCK_BOOTTIME, CLOCK_REALTIME};

static struct Seen {
  int64_t calls;
  int64_t behind[kClocks];    /* nanoseconds, the least of the last kRecent to 2 kRecent calls */
  int64_t backwards[kClocks]; /* times that a clock showed less than before */
} * seen;
static int64_t last[kClocks], least[kClocks];

static int64_t ns(struct timespec time) {
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

__attribute__((constructor)) static void start(void) {
  const int file = open(getenv("HEAPMARK_CLOCK_FILE"), O_RDWR);
  void* memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (memory == MAP_FAILED) abort();
  seen = memory;
}

static void look(void) {
  if (seen == NULL) return;
  for (int at = 0; at < kClocks; ++at) {
    struct timespec own, true_time;
    clock_gettime(clocks[at], &own);
    syscall(SYS_clock_gettime, clocks[at], &true_time);
    const int64_t behind = ns(true_time) - ns(own);
    if (ns(own) < last[at]) ++seen->backwards[at];
    last[at] = ns(own);
    if (seen->calls % kRecent == 0 || behind < least[at]) least[at] = behind;
    if (seen->calls % kRecent == kRecent - 1) seen->behind[at] = least[at];
  }
  ++seen->calls;
}

void* malloc(size_t bytes) {
  look();
  return __libc_malloc(bytes);
}
void* calloc(size_t number, size_t bytes) {
  look();
  return __libc_calloc(number, bytes);
}
void* realloc(void* block, size_t bytes) {
  look();
  return __libc_realloc(block, bytes);
}
void* memalign(size_t alignment, size_t bytes) {
  look();
  return __libc_memalign(alignment, bytes);
}
void* aligned_alloc(size_t alignment, size_t bytes) {
  look();
  return __libc_memalign(alignment, bytes);
}
void free(void* block) {
  look();
  __libc_free(block);
}
