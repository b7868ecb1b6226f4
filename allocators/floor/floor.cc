// The floor: what a malloc call must cost at least. A thread-local bump pointer and thread-local free lists
// by size class; no lock, no coalescing, nothing ever given back to the kernel or to another thread. A
// yardstick for the speed tables and no allocator to use (README.md).
//
//   block   [ header: class, distance to the place's start | the user's bytes ]
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "allocators/floor/size_class.h"

#define FLOOR_EXPORT extern "C" __attribute__((visibility("default")))

namespace heapmark::floor {
namespace {

constexpr size_t kAlignment = 16;
constexpr size_t kChunkBytes = size_t{64} << 20;
constexpr size_t kMostBytes = size_t{1} << 47;

struct alignas(16) Header {
  uint64_t size_class;
  uint64_t distance;  // from the place's start to the user's bytes
};

struct Place {
  Place* next;
};

struct Thread {
  Place* free[kClasses];
  char* bump;
  char* end;
};
thread_local constinit Thread self __attribute__((tls_model("initial-exec"))) = {};

void* map(size_t bytes) {
  void* memory =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return memory == MAP_FAILED ? nullptr : memory;
}

// Room for a block of the class and its header. What is left of a chunk is forgotten.
[[gnu::noinline]] char* new_place(size_t index) {
  const size_t bytes = class_size(index) + sizeof(Header);
  if (bytes > kChunkBytes / 4) return static_cast<char*>(map(bytes));
  if (static_cast<size_t>(self.end - self.bump) < bytes) {
    char* chunk = static_cast<char*>(map(kChunkBytes));
    if (chunk == nullptr) return nullptr;
    self.bump = chunk;
    self.end = chunk + kChunkBytes;
  }
  char* place = self.bump;
  self.bump += bytes;
  return place;
}

Header* header_of(void* block) {
  return static_cast<Header*>(block) - 1;
}

[[gnu::always_inline]] inline void* allocate(size_t bytes) {
  if (bytes > kMostBytes) [[unlikely]] {
    errno = ENOMEM;
    return nullptr;
  }
  const size_t index = class_of(bytes);
  char* place = reinterpret_cast<char*>(self.free[index]);
  if (place != nullptr) [[likely]] {
    self.free[index] = self.free[index]->next;
  } else if ((place = new_place(index)) == nullptr) {
    errno = ENOMEM;
    return nullptr;
  }
  void* block = place + sizeof(Header);
  *header_of(block) = {index, sizeof(Header)};
  return block;
}

void* allocate_aligned(size_t alignment, size_t bytes) {
  if (alignment <= kAlignment) return allocate(bytes);
  if (bytes > kMostBytes || alignment > kMostBytes) {
    errno = ENOMEM;
    return nullptr;
  }
  char* block = static_cast<char*>(allocate(bytes + alignment));
  if (block == nullptr) return nullptr;
  const uint64_t index = header_of(block)->size_class;
  char* aligned =
      reinterpret_cast<char*>((reinterpret_cast<uintptr_t>(block) + alignment - 1) & ~(alignment - 1));
  *header_of(aligned) = {index, sizeof(Header) + static_cast<uint64_t>(aligned - block)};
  return aligned;
}

size_t usable(void* block) {
  const Header* header = header_of(block);
  return class_size(header->size_class) + sizeof(Header) - header->distance;
}

bool is_power_of_two(size_t value) {
  return value != 0 && (value & (value - 1)) == 0;
}

}  // namespace
}  // namespace heapmark::floor

using namespace heapmark::floor;

FLOOR_EXPORT void* malloc(size_t bytes) noexcept {
  return allocate(bytes);
}

FLOOR_EXPORT void free(void* block) noexcept {
  if (block == nullptr) return;
  const Header header = *header_of(block);
  Place* place = reinterpret_cast<Place*>(static_cast<char*>(block) - header.distance);
  place->next = self.free[header.size_class];
  self.free[header.size_class] = place;
}

FLOOR_EXPORT void* calloc(size_t count, size_t size) noexcept {
  size_t bytes = 0;
  if (__builtin_mul_overflow(count, size, &bytes)) bytes = SIZE_MAX;
  void* block = allocate(bytes);
  return block == nullptr ? nullptr : memset(block, 0, bytes);
}

FLOOR_EXPORT void* realloc(void* block, size_t bytes) noexcept {
  if (block == nullptr) return allocate(bytes);
  if (bytes == 0) {
    free(block);
    return nullptr;
  }
  const size_t had = usable(block);
  if (bytes <= had && bytes >= had / 2) return block;
  void* moved = allocate(bytes);
  if (moved == nullptr) return nullptr;
  memcpy(moved, block, bytes < had ? bytes : had);
  free(block);
  return moved;
}

FLOOR_EXPORT void* reallocarray(void* block, size_t count, size_t size) noexcept {
  size_t bytes = 0;
  if (__builtin_mul_overflow(count, size, &bytes)) {
    errno = ENOMEM;
    return nullptr;
  }
  return realloc(block, bytes);
}

FLOOR_EXPORT void* memalign(size_t alignment, size_t bytes) noexcept {
  if (!is_power_of_two(alignment)) {
    errno = EINVAL;
    return nullptr;
  }
  return allocate_aligned(alignment, bytes);
}
FLOOR_EXPORT void* aligned_alloc(size_t alignment, size_t bytes) noexcept {
  return memalign(alignment, bytes);
}
FLOOR_EXPORT void* valloc(size_t bytes) noexcept {
  return allocate_aligned(4096, bytes);
}
FLOOR_EXPORT void* pvalloc(size_t bytes) noexcept {
  const size_t rounded = (bytes + 4095) & ~size_t{4095};
  return allocate_aligned(4096, rounded < bytes ? bytes : rounded);  // what wraps is refused for its size
}

FLOOR_EXPORT int posix_memalign(void** block, size_t alignment, size_t bytes) noexcept {
  if (!is_power_of_two(alignment) || alignment < sizeof(void*)) return EINVAL;
  const int kept = errno;
  void* got = allocate_aligned(alignment, bytes);
  errno = kept;
  if (got == nullptr) return ENOMEM;
  *block = got;
  return 0;
}

FLOOR_EXPORT size_t malloc_usable_size(void* block) noexcept {
  return block == nullptr ? 0 : usable(block);
}
