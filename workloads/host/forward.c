/* Preloaded for the C library's malloc into a program that is linked with another allocator: exports the
 * malloc family, which the loader then finds here first, and passes each call on to the C library's own
 * functions. The C library itself must not be preloaded: it would be searched for everything else first as
 * well.
 *
 * glibc exports its functions a second time as __libc_malloc and so on; malloc_usable_size alone has no such
 * name and is looked up once in the library by its handle. The cost is one more jump a call. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>

extern void* __libc_malloc(size_t size);
extern void* __libc_calloc(size_t count, size_t size);
extern void* __libc_realloc(void* block, size_t size);
extern void __libc_free(void* block);
extern void* __libc_memalign(size_t alignment, size_t size);
extern void* __libc_valloc(size_t size);
extern void* __libc_pvalloc(size_t size);

void* malloc(size_t size) {
  return __libc_malloc(size);
}

void* calloc(size_t count, size_t size) {
  return __libc_calloc(count, size);
}

void* realloc(void* block, size_t size) {
  return __libc_realloc(block, size);
}

void free(void* block) {
  __libc_free(block);
}

void cfree(void* block) {
  __libc_free(block);
}

void* memalign(size_t alignment, size_t size) {
  return __libc_memalign(alignment, size);
}

void* aligned_alloc(size_t alignment, size_t size) {
  return __libc_memalign(alignment, size);
}

void* valloc(size_t size) {
  return __libc_valloc(size);
}

void* pvalloc(size_t size) {
  return __libc_pvalloc(size);
}

/* posix_memalign(3): errno is left alone, the error is returned. */
int posix_memalign(void** block, size_t alignment, size_t size) {
  if (alignment % sizeof(void*) != 0 || (alignment & (alignment - 1)) != 0 || alignment == 0) return EINVAL;
  const int before = errno;
  void* const found = __libc_memalign(alignment, size);
  errno = before;
  if (found == NULL) return ENOMEM;
  *block = found;
  return 0;
}

void* reallocarray(void* block, size_t count, size_t size) {
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes)) {
    errno = ENOMEM;
    return NULL;
  }
  return __libc_realloc(block, bytes);
}

size_t malloc_usable_size(void* block) {
  static size_t (*own)(void*);
  size_t (*found)(void*) = __atomic_load_n(&own, __ATOMIC_RELAXED);
  if (found == NULL) {
    void* const library = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);
    found = library != NULL ? (size_t(*)(void*))(uintptr_t)dlsym(library, "malloc_usable_size") : NULL;
    if (found == NULL) return 0;
    __atomic_store_n(&own, found, __ATOMIC_RELAXED);
  }
  return found(block);
}

/* C++'s operators too: an allocator's library often has its own, which do not go through malloc. Their names
 * are the mangled ones of the Itanium C++ ABI for 64-bit size_t. */
extern void throw_bad_alloc(void) __asm__("_ZSt17__throw_bad_allocv") __attribute__((weak));

static void* or_throw(void* block) {
  if (block == NULL) {
    if (throw_bad_alloc != NULL) throw_bad_alloc();
    __builtin_trap();
  }
  return block;
}

static size_t at_least_one(size_t size) {
  return size == 0 ? 1 : size;
}

void* new_one(size_t size) __asm__("_Znwm");
void* new_one(size_t size) {
  return or_throw(__libc_malloc(at_least_one(size)));
}
void* new_array(size_t size) __asm__("_Znam");
void* new_array(size_t size) {
  return or_throw(__libc_malloc(at_least_one(size)));
}
void* new_one_nothrow(size_t size, const void* nothrow) __asm__("_ZnwmRKSt9nothrow_t");
void* new_one_nothrow(size_t size, const void* nothrow) {
  (void)nothrow;
  return __libc_malloc(at_least_one(size));
}
void* new_array_nothrow(size_t size, const void* nothrow) __asm__("_ZnamRKSt9nothrow_t");
void* new_array_nothrow(size_t size, const void* nothrow) {
  (void)nothrow;
  return __libc_malloc(at_least_one(size));
}
void* new_one_aligned(size_t size, size_t alignment) __asm__("_ZnwmSt11align_val_t");
void* new_one_aligned(size_t size, size_t alignment) {
  return or_throw(__libc_memalign(alignment, at_least_one(size)));
}
void* new_array_aligned(size_t size, size_t alignment) __asm__("_ZnamSt11align_val_t");
void* new_array_aligned(size_t size, size_t alignment) {
  return or_throw(__libc_memalign(alignment, at_least_one(size)));
}
void* new_one_aligned_nothrow(size_t size, size_t alignment,
                              const void* nothrow) __asm__("_ZnwmSt11align_val_tRKSt9nothrow_t");
void* new_one_aligned_nothrow(size_t size, size_t alignment, const void* nothrow) {
  (void)nothrow;
  return __libc_memalign(alignment, at_least_one(size));
}
void* new_array_aligned_nothrow(size_t size, size_t alignment,
                                const void* nothrow) __asm__("_ZnamSt11align_val_tRKSt9nothrow_t");
void* new_array_aligned_nothrow(size_t size, size_t alignment, const void* nothrow) {
  (void)nothrow;
  return __libc_memalign(alignment, at_least_one(size));
}

/* Every form of delete: the further arguments (size, alignment, nothrow) say nothing that free needs. */
#define DELETE(name, mangled)              \
  void name(void* block) __asm__(mangled); \
  void name(void* block) {                 \
    __libc_free(block);                    \
  }
DELETE(delete_one, "_ZdlPv")
DELETE(delete_array, "_ZdaPv")
DELETE(delete_one_nothrow, "_ZdlPvRKSt9nothrow_t")
DELETE(delete_array_nothrow, "_ZdaPvRKSt9nothrow_t")
DELETE(delete_one_sized, "_ZdlPvm")
DELETE(delete_array_sized, "_ZdaPvm")
DELETE(delete_one_aligned, "_ZdlPvSt11align_val_t")
DELETE(delete_array_aligned, "_ZdaPvSt11align_val_t")
DELETE(delete_one_sized_aligned, "_ZdlPvmSt11align_val_t")
DELETE(delete_array_sized_aligned, "_ZdaPvmSt11align_val_t")
DELETE(delete_one_aligned_nothrow, "_ZdlPvSt11align_val_tRKSt9nothrow_t")
DELETE(delete_array_aligned_nothrow, "_ZdaPvSt11align_val_tRKSt9nothrow_t")
