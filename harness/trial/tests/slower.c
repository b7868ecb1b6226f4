/* An allocator made slower by a known share, to find out how small a difference the tool still finds:
 * preloaded before the C library's own malloc, it adds to each malloc and free a loop of dependent
 * multiplications, whose time does not depend on memory. How many is the number in the name of its file:
 * slower-2.5.so. scripts/method measures what a step costs. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

extern void* __libc_malloc(size_t);
extern void* __libc_calloc(size_t, size_t);
extern void* __libc_realloc(void*, size_t);
extern void* __libc_memalign(size_t, size_t);
extern void __libc_free(void*);

static uint32_t steps; /* in sixteenths of a step; the rest is added up from call to call */
static __thread uint32_t rest __attribute__((tls_model("initial-exec")));

__attribute__((constructor)) static void start(void) {
  Dl_info self;
  const char* dash = dladdr((void*)&steps, &self) != 0 ? strrchr(self.dli_fname, '-') : NULL;
  steps = dash == NULL ? 0 : (uint32_t)(atof(dash + 1) * 16);
}

static void wait(void) {
  uint64_t value = 1;
  uint32_t left = steps + rest;
  rest = left % 16;
  for (left /= 16; left != 0; --left) __asm__ volatile("imulq %0, %0" : "+r"(value));
}

void* malloc(size_t bytes) {
  wait();
  return __libc_malloc(bytes);
}
void* calloc(size_t number, size_t bytes) {
  wait();
  return __libc_calloc(number, bytes);
}
void* realloc(void* block, size_t bytes) {
  wait();
  return __libc_realloc(block, bytes);
}
void* memalign(size_t alignment, size_t bytes) {
  wait();
  return __libc_memalign(alignment, bytes);
}
void* aligned_alloc(size_t alignment, size_t bytes) {
  wait();
  return __libc_memalign(alignment, bytes);
}
int posix_memalign(void** block, size_t alignment, size_t bytes) {
  *block = __libc_memalign(alignment, bytes);
  return *block == NULL ? 12 : 0;
}
void free(void* block) {
  wait();
  __libc_free(block);
}
