/* A malloc that counts: preloaded as the allocator under test, passes each call on to the C library's own and
 * writes into a file (named by HEAPMARK_COUNTER_FILE) how many calls came before the workload began, which it
 * sees in the report (the descriptor of the host's --report-fd), and how many after; then how many blocks the
 * workload got and how many it freed. */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

extern void* __libc_malloc(size_t);
extern void* __libc_calloc(size_t, size_t);
extern void* __libc_realloc(void*, size_t);
extern void* __libc_memalign(size_t, size_t);
extern void __libc_free(void*);

static uint64_t before, after;   /* until the mappings are there */
static uint64_t* shared;         /* [0] before, [1] after, [2] blocks got, [3] freed */
static volatile uint32_t* stage; /* Report::stage follows magic and version */
enum { kStageOffset = 12, kWorkload = 2 };

static int report_descriptor(void) {
  char text[4096];
  const int fd = open("/proc/self/cmdline", O_RDONLY);
  const ssize_t size = read(fd, text, sizeof text - 1);
  close(fd);
  static const char option[] = "--report-fd=";
  for (ssize_t at = 0; at + (ssize_t)sizeof option < size; ++at)
    if (memcmp(text + at, option, sizeof option - 1) == 0) return atoi(text + at + sizeof option - 1);
  return -1;
}

__attribute__((constructor)) static void start(void) {
  const int file = open(getenv("HEAPMARK_COUNTER_FILE"), O_RDWR);
  void* counts = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  void* report = mmap(NULL, 4096, PROT_READ, MAP_SHARED, report_descriptor(), 0);
  if (counts == MAP_FAILED || report == MAP_FAILED) abort();
  stage = (volatile uint32_t*)((char*)report + kStageOffset);
  shared = counts;
  shared[0] = before;
  shared[1] = after;
}

static void count(void) {
  const int in_workload = stage != NULL && *stage >= kWorkload;
  if (shared == NULL)
    ++*(in_workload ? &after : &before);
  else
    ++shared[in_workload];
}

static void* obtained(void* block) {
  if (block != NULL && shared != NULL && stage != NULL && *stage >= kWorkload)
    __atomic_fetch_add(&shared[2], 1, __ATOMIC_RELAXED);
  return block;
}

void* malloc(size_t bytes) {
  count();
  return obtained(__libc_malloc(bytes));
}
void* calloc(size_t number, size_t bytes) {
  count();
  return obtained(__libc_calloc(number, bytes));
}
void* realloc(void* block, size_t bytes) {
  count();
  void* const moved = __libc_realloc(block, bytes);
  return block == NULL ? obtained(moved) : moved;
}
void* memalign(size_t alignment, size_t bytes) {
  count();
  return obtained(__libc_memalign(alignment, bytes));
}
void* aligned_alloc(size_t alignment, size_t bytes) {
  return memalign(alignment, bytes);
}
int posix_memalign(void** block, size_t alignment, size_t bytes) {
  *block = memalign(alignment, bytes);
  return *block == NULL ? ENOMEM : 0;
}
void free(void* block) {
  if (block != NULL && shared != NULL && stage != NULL && *stage >= kWorkload)
    __atomic_fetch_add(&shared[3], 1, __ATOMIC_RELAXED);
  __libc_free(block);
}
