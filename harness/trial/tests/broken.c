/* A malloc with a defect, preloaded to see that --check finds it: it hands out the same block twice now and
 * then. */
#include <stddef.h>

extern void* __libc_malloc(size_t);

static void* last;
static size_t last_bytes;
static unsigned calls;

void* malloc(size_t bytes) {
  if (++calls % 1000 == 0 && bytes <= last_bytes) return last;
  last = __libc_malloc(bytes);
  last_bytes = bytes;
  return last;
}
void free(void* block) {
  (void)block;
}
