// The exported family, as glibc 2.36 defines it: malloc, free, calloc, realloc and the aligned ones. Decides
// which layer a request goes to: thread cache up to 16 KiB, page heap below the mmap threshold, own mapping
// from there on. Sets errno; checks what is freed. C++ operators are the C++ library's, which call these.
#include <malloc.h>
#include <pthread.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "allocators/brkmmap/die.h"
#include "allocators/brkmmap/thread_cache.h"

#define BRKMMAP_EXPORT extern "C" __attribute__((visibility("default")))

namespace brkmmap {

constinit Heap heap;

namespace {

constinit std::atomic<bool> g_environment_read{false};
constinit std::atomic<std::size_t> g_small_limit{kMaxSmall};
constexpr std::size_t kMostBytes = PTRDIFF_MAX - kPageSize;

void update_small_limit() noexcept {
  const std::size_t threshold = heap.tunables.mmap_threshold;
  g_small_limit.store(threshold <= kMaxSmall ? threshold - 1 : kMaxSmall, std::memory_order_relaxed);
}

// The first call may come before the C library has set `environ`: then the constructor reads it.
[[gnu::noinline]] void read_environment_once() noexcept {
  if (environ == nullptr || g_environment_read.exchange(true)) return;
  read_environment(heap.tunables, environ, STDERR_FILENO);
  update_small_limit();
}

std::uintptr_t mark_of(const void* block) noexcept {
  return reinterpret_cast<std::uintptr_t>(block) ^ 0x9d3f1c6ab5e08f27;
}

void* refused() noexcept {
  heap.failed_requests.fetch_add(1, std::memory_order_relaxed);
  errno = ENOMEM;
  return nullptr;
}

void* allocate_block(std::size_t pages, std::size_t alignment, bool* zeroed) noexcept {
  Guard guard(heap.lock);
  Span* span = heap.pages.allocate(pages, zeroed, alignment);
  if (span == nullptr) return nullptr;
  heap.block_bytes.fetch_add(span->bytes(), std::memory_order_relaxed);
  return reinterpret_cast<void*>(span->start);
}

void* allocate_pages(std::size_t bytes, std::size_t alignment, bool* zeroed) noexcept {
  const std::size_t pages = pages_for(bytes == 0 ? 1 : bytes);
  *zeroed = true;
  const bool alone = bytes >= heap.tunables.mmap_threshold && heap.mappings.count() < heap.tunables.mmap_max;
  if (alone) {
    if (void* block = heap.mappings.allocate(pages, alignment)) return block;
  }
  if (void* block = allocate_block(pages, alignment, zeroed)) return block;
  *zeroed = true;
  return alone ? nullptr : heap.mappings.allocate(pages, alignment);
}

[[gnu::noinline]] void* allocate_large(std::size_t bytes, std::size_t alignment, bool* zeroed) noexcept {
  if (bytes > kMostBytes - alignment) return refused();
  read_environment_once();
  void* block = allocate_pages(bytes, alignment, zeroed);
  if (block == nullptr) {
    thread_cache.flush();  // its objects may be all that keeps spans from the page heap
    block = allocate_pages(bytes, alignment, zeroed);
  }
  return block == nullptr ? refused() : block;
}

[[gnu::noinline]] void* small_refused(std::size_t index) noexcept {
  thread_cache.flush();
  void* block = thread_cache.pop(index);
  return block == nullptr ? refused() : block;
}

[[gnu::always_inline]] inline void* allocate(std::size_t bytes) noexcept {
  if (bytes <= g_small_limit.load(std::memory_order_relaxed)) [[likely]] {
    const std::size_t index = class_of(bytes);
    void* block = thread_cache.pop(index);
    return block != nullptr ? block : small_refused(index);
  }
  bool zeroed = false;
  return allocate_large(bytes, kPageSize, &zeroed);
}

void* allocate_aligned(std::size_t alignment, std::size_t bytes) noexcept {
  if (alignment <= kAlignment) return allocate(bytes);
  if (alignment < kPageSize && bytes <= kMaxSmall) {
    const std::size_t rounded = round_up(bytes == 0 ? 1 : bytes, alignment);
    if (rounded <= g_small_limit.load(std::memory_order_relaxed)) {
      for (std::size_t index = class_of(rounded); index < kClasses; ++index) {
        if (kSizeClasses[index].size % alignment == 0) return allocate(kSizeClasses[index].size);
      }
    }
  }
  bool zeroed = false;
  return allocate_large(bytes, alignment < kPageSize ? kPageSize : alignment, &zeroed);
}

// The span of a live block, or the end of the process.
[[gnu::always_inline]] inline Span* span_of(const void* block, const char* doing) noexcept {
  const std::uintptr_t address = reinterpret_cast<std::uintptr_t>(block);
  Span* span = heap.map.get(address);
  if (span != nullptr) [[likely]] {
    const SpanState state = span->state.load(std::memory_order_relaxed);
    if (state == SpanState::kSmall) [[likely]] {
      if (is_object(*span, address)) [[likely]] {
        if (static_cast<const Object*>(block)->mark != mark_of(block)) [[likely]]
          return span;
        die("double free (the block is free already)", block);
      }
    } else if (address == span->start) {
      if (state == SpanState::kBlock || state == SpanState::kMapped) return span;
      die("double free (the pages are free already)", block);
    }
  }
  die(doing, block);
}

[[gnu::noinline]] void free_pages(Span* span) noexcept {
  if (span->state.load(std::memory_order_relaxed) == SpanState::kMapped) return heap.mappings.free(span);
  Guard guard(heap.lock);
  heap.block_bytes.fetch_sub(span->bytes(), std::memory_order_relaxed);
  heap.pages.free(span);
}

[[gnu::always_inline]] inline void release(void* block) noexcept {
  Span* span = span_of(block, "free of a pointer that is no block (invalid, interior or freed already)");
  if (span->state.load(std::memory_order_relaxed) != SpanState::kSmall) [[unlikely]]
    return free_pages(span);
  Object* object = static_cast<Object*>(block);
  object->mark = mark_of(block);
  thread_cache.push(span->size_class, object);
}

std::size_t usable_bytes(const Span* span) noexcept {
  if (span->state.load(std::memory_order_relaxed) == SpanState::kSmall)
    return kSizeClasses[span->size_class].size;
  return span->bytes();
}

// Where a block of whole pages can stay or be moved by the kernel; null where it must be copied.
void* resize_pages(void* block, Span* span, std::size_t bytes) noexcept {
  const std::size_t pages = pages_for(bytes);
  if (bytes <= g_small_limit.load(std::memory_order_relaxed)) return nullptr;
  if (span->state.load(std::memory_order_relaxed) == SpanState::kMapped) {
    if (pages == span->pages) return block;
    return bytes >= heap.tunables.mmap_threshold ? heap.mappings.resize(span, pages) : nullptr;
  }
  Guard guard(heap.lock);
  const std::size_t before = span->bytes();
  if (pages > span->pages && bytes >= heap.tunables.mmap_threshold) return nullptr;
  if (!heap.pages.resize(span, pages)) return nullptr;
  heap.block_bytes.fetch_add(span->bytes() - before, std::memory_order_relaxed);
  return block;
}

void lock_everything() noexcept {
  for (Central& central : heap.central) central.lock().lock();
  heap.lock.lock();
  ThreadCache::registry_lock().lock();
}

void unlock_everything() noexcept {
  ThreadCache::registry_lock().unlock();
  heap.lock.unlock();
  for (Central& central : heap.central) central.lock().unlock();
}

[[gnu::constructor]] void start() noexcept {
  read_environment_once();
  ThreadCache::arm_thread_exit();
  pthread_atfork(lock_everything, unlock_everything, unlock_everything);
}

}  // namespace
}  // namespace brkmmap

using namespace brkmmap;

BRKMMAP_EXPORT void* malloc(std::size_t bytes) noexcept {
  return allocate(bytes);
}

BRKMMAP_EXPORT void free(void* block) noexcept {
  if (block != nullptr) release(block);
}

BRKMMAP_EXPORT void cfree(void* block) noexcept {
  free(block);
}

BRKMMAP_EXPORT void* calloc(std::size_t count, std::size_t size) noexcept {
  std::size_t bytes = 0;
  if (__builtin_mul_overflow(count, size, &bytes)) return refused();
  bool zeroed = false;
  const bool small = bytes <= g_small_limit.load(std::memory_order_relaxed);
  void* block = small ? allocate(bytes) : allocate_large(bytes, kPageSize, &zeroed);
  if (block != nullptr && !zeroed) std::memset(block, 0, bytes);
  return block;
}

BRKMMAP_EXPORT void* realloc(void* block, std::size_t bytes) noexcept {
  if (block == nullptr) return allocate(bytes);
  if (bytes == 0) {
    release(block);
    return nullptr;
  }
  Span* span = span_of(block, "realloc of a pointer that is no block (invalid, interior or freed already)");
  if (bytes > kMostBytes) return refused();
  const std::size_t usable = usable_bytes(span);
  if (span->state.load(std::memory_order_relaxed) == SpanState::kSmall) {
    if (bytes <= usable && bytes >= usable / 2) return block;
  } else if (void* same = resize_pages(block, span, bytes)) {
    return same;
  }
  void* moved = allocate(bytes);
  if (moved == nullptr) return bytes <= usable ? block : nullptr;  // a shrink never fails
  std::memcpy(moved, block, bytes < usable ? bytes : usable);
  release(block);
  return moved;
}

BRKMMAP_EXPORT void* reallocarray(void* block, std::size_t count, std::size_t size) noexcept {
  std::size_t bytes = 0;
  if (__builtin_mul_overflow(count, size, &bytes)) return refused();
  return realloc(block, bytes);
}

// Any alignment is rounded up to a power of two, as glibc does.
BRKMMAP_EXPORT void* memalign(std::size_t alignment, std::size_t bytes) noexcept {
  if (alignment > PTRDIFF_MAX / 2 + 1) {
    errno = EINVAL;
    return nullptr;
  }
  return allocate_aligned(alignment < 2 ? 1 : std::bit_ceil(alignment), bytes);
}

BRKMMAP_EXPORT void* aligned_alloc(std::size_t alignment, std::size_t bytes) noexcept {
  return memalign(alignment, bytes);
}

BRKMMAP_EXPORT int posix_memalign(void** block, std::size_t alignment, std::size_t bytes) noexcept {
  if (alignment < sizeof(void*) || !std::has_single_bit(alignment)) return EINVAL;
  const int kept = errno;
  void* got = allocate_aligned(alignment, bytes);
  errno = kept;
  if (got == nullptr) return ENOMEM;
  *block = got;
  return 0;
}

BRKMMAP_EXPORT void* valloc(std::size_t bytes) noexcept {
  return allocate_aligned(kPageSize, bytes);
}

BRKMMAP_EXPORT void* pvalloc(std::size_t bytes) noexcept {
  if (bytes > kMostBytes) return refused();
  return allocate_aligned(kPageSize, round_up(bytes, kPageSize));
}

BRKMMAP_EXPORT std::size_t malloc_usable_size(void* block) noexcept {
  return block == nullptr ? 0
                          : usable_bytes(span_of(block, "malloc_usable_size of a pointer that is no block"));
}

BRKMMAP_EXPORT int malloc_trim(std::size_t pad) noexcept {
  thread_cache.flush();
  Guard guard(heap.lock);
  return heap.pages.trim(pad) ? 1 : 0;
}

BRKMMAP_EXPORT int mallopt(int parameter, int value) noexcept {
  read_environment_once();
  if (value < 0) return parameter == M_TRIM_THRESHOLD && (heap.tunables.trim_threshold.set(UINT64_MAX), true);
  const std::uint64_t amount = static_cast<std::uint64_t>(value);
  switch (parameter) {
    case M_MMAP_THRESHOLD:
      heap.tunables.mmap_threshold.set(amount < kPageSize ? kPageSize : amount);
      update_small_limit();
      return 1;
    case M_MMAP_MAX:
      heap.tunables.mmap_max.set(amount);
      return 1;
    case M_TRIM_THRESHOLD:
      heap.tunables.trim_threshold.set(amount);
      return 1;
    case M_TOP_PAD:
      heap.tunables.top_pad.set(amount);
      return 1;
    default:
      return 1;  // glibc knows further ones; they mean nothing here and may be ignored
  }
}
