/* An allocator whose slow calls are known: preloaded before the C library's own malloc, every thousandth
 * malloc sleeps for 300 microseconds (a stall that waits), and the 500th between maps a page and touches it
 * (a page fault in the call, and address space that grows). */
#include <stddef.h>
#include <sys/mman.h>
#include <time.h>

extern void* __libc_malloc(size_t);
extern void __libc_free(void*);

static unsigned calls;

void* malloc(size_t bytes) {
  ++calls;
  if (calls % 1000 == 0) {
    const struct timespec pause = {0, 300 * 1000};
    nanosleep(&pause, NULL);
  }
  if (calls % 1000 == 500) {
    volatile char* page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page != MAP_FAILED) *page = 1;
  }
  return __libc_malloc(bytes);
}
void free(void* block) {
  __libc_free(block);
}
