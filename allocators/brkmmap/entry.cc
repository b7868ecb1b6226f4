// The exported family, as glibc 2.36 defines it: malloc, free, calloc, realloc and the aligned ones. Decides
// which layer a request goes to: thread cache up to 64 KiB, page heap below the mmap threshold, own mapping
// from there on. Sets errno; checks what is freed. C++ operators are the C++ library's, which call these.
#include <malloc.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "allocators/brkmmap/found.h"
#include "allocators/brkmmap/thread.h"

#define BRKMMAP_EXPORT extern "C" __attribute__((visibility("default")))

// glibc's own: the lock of its list of streams. Its fork takes it after our handler has run, and its holder
// (fflush(NULL)) may wait for a stream whose owner waits for one of our locks (glibc bug 19431). Taken first,
// as glibc does for its own malloc, the order is the same everywhere. Weak: not every C library has them.
extern "C" [[gnu::weak, gnu::visibility("default")]] void _IO_list_lock();
extern "C" [[gnu::weak, gnu::visibility("default")]] void _IO_list_unlock();
extern "C" [[gnu::weak, gnu::visibility("default")]] void _IO_list_resetlock();

namespace brkmmap {

constinit PageMap page_map;
constinit Heap heap(page_map);

namespace {

constinit std::atomic<bool> g_environment_read{false};
constinit std::atomic<std::size_t> g_cached_limit{kMaxCached};  // larger requests have no class
constexpr std::size_t kMostBytes = PTRDIFF_MAX - kPageSize;

// The thread's part, its address found once: the compiler would do so again for each use.
[[gnu::always_inline]] inline Thread& here() noexcept {
  Thread* self = &thread;
  asm("" : "+r"(self));
  return *self;
}

void update_cached_limit() noexcept {
  const std::size_t threshold = heap.tunables.mmap_threshold;
  g_cached_limit.store(threshold <= kMaxCached ? threshold - 1 : kMaxCached, std::memory_order_relaxed);
}

// The first call may come before the C library has set `environ`: then the constructor reads it.
[[gnu::noinline]] void read_environment_once() noexcept {
  if (environ == nullptr || g_environment_read.exchange(true)) return;
  read_environment(heap.tunables, environ, STDERR_FILENO);
  update_cached_limit();
}

void* refused() noexcept {
  heap.failed_requests.fetch_add(1, std::memory_order_relaxed);
  errno = ENOMEM;
  return nullptr;
}

void* allocate_pages(std::size_t bytes, std::size_t alignment, std::size_t* dirty_bytes,
                     bool fresh) noexcept {
  const bool alone = heap.is_mapped_alone(bytes);
  if (alone) {
    if (void* block = heap.mappings.allocate(pages_for(bytes), alignment, dirty_bytes, fresh)) return block;
  }
  // No block is smaller than a page: two in one page could not be distinguished.
  const std::size_t units = units_for(bytes < kPageSize ? kPageSize : bytes);
  if (void* block = heap.allocate_block(units, alignment, dirty_bytes)) return block;
  return alone ? nullptr : heap.mappings.allocate(pages_for(bytes == 0 ? 1 : bytes), alignment, dirty_bytes);
}

// Tries again once everything that is kept has been given back, before it refuses; but leaves the heap as it
// is where that cannot help.
template <typename Try>
[[gnu::always_inline]] inline void* insist(std::size_t bytes, Try&& attempt) noexcept {
  void* block = attempt();
  if (block == nullptr && heap.kernel.is_hopeless(bytes)) return refused();
  if (block == nullptr) {
    thread.flush();  // its objects may be all that keeps pages from the page heap
    block = attempt();
  }
  if (block == nullptr && heap.release_within_slabs()) block = attempt();
  return block == nullptr ? refused() : block;
}

// `fresh`: for calloc, see MmapSource::allocate.
[[gnu::noinline]] void* allocate_large(std::size_t bytes, std::size_t alignment, std::size_t* dirty_bytes,
                                       bool fresh = false) noexcept {
  if (alignment > kMostBytes || bytes > kMostBytes - alignment) return refused();
  read_environment_once();
  if (alignment <= kUnit) {
    if (Span* span = ThreadCache::mine().large().take(bytes)) {
      *dirty_bytes = bytes;
      return reinterpret_cast<void*>(span->start);
    }
  }
  return insist(bytes, [&] { return allocate_pages(bytes, alignment, dirty_bytes, fresh); });
}

[[gnu::noinline]] void* allocate_large(std::size_t bytes) noexcept {
  std::size_t dirty_bytes = 0;
  return allocate_large(bytes, kUnit, &dirty_bytes);
}

// An object that the thread does not have.
[[gnu::noinline]] void* allocate_anew(std::size_t index) noexcept {
  return insist(class_bytes(index), [&] { return thread.cache->pop(index); });
}

[[gnu::always_inline]] inline void* allocate_of_class(std::size_t index) noexcept {
  if (void* block = thread.cache->pop_kept(index)) [[likely]]
    return block;
  return allocate_anew(index);
}

// Above kMaxTiny.
[[gnu::noinline]] void* allocate_larger(std::size_t bytes) noexcept {
  if (bytes > g_cached_limit.load(std::memory_order_relaxed)) return allocate_large(bytes);
  return allocate_of_class(class_of(bytes));
}

[[gnu::always_inline]] inline void* allocate(std::size_t bytes) noexcept {
  if (bytes > kMaxTiny) [[unlikely]]
    return allocate_larger(bytes);
  return allocate_of_class(class_of(bytes));
}

void* allocate_aligned(std::size_t alignment, std::size_t bytes) noexcept {
  if (alignment <= kAlignment) return allocate(bytes);
  if (bytes <= g_cached_limit.load(std::memory_order_relaxed)) {
    const std::size_t index = class_of(bytes);
    if (alignment <= kPageSize && bytes <= kMaxSmall) {  // slabs begin at pages
      read_environment_once();
      return insist(bytes, [&] { return thread.cache->pop_aligned(index, alignment); });
    }
    if (void* block = thread.cache->pop_kept_aligned(index, alignment)) return block;
  }
  std::size_t dirty_bytes = 0;
  return allocate_large(bytes, alignment < kUnit ? kUnit : alignment, &dirty_bytes);
}

[[gnu::noinline]] void release_uncached(PageEntry entry) noexcept {
  Span* span = entry.span();
  if (span->is(SpanState::kCached)) die(kFreeAlready, reinterpret_cast<const void*>(span->start));
  ThreadCache& cache = ThreadCache::mine();
  if (cache.large().is_time_to_look()) thread.maybe_rest();
  if (cache.is_real() && cache.large().put(span, ThreadCache::common_budget())) return heap.note_excess();
  heap.free_span(span);
}

[[gnu::noinline]] void release_block(PageEntry entry, void* block) noexcept {
  if (block == nullptr) return;
  const std::size_t index =
      entry.is_slab() ? class_of_object(entry, block, kNoBlock) : class_of_block(entry, block, kNoBlock);
  if (index == kClasses) return release_uncached(entry);
  ThreadCache& cache = *thread.cache;
  if (cache.is_last(index, block)) die(kFreeAlready, block);
  cache.push(index, {block, entry});
}

// There are not so many frees yet. A thread that only frees has to be seen to its end as well.
[[gnu::noinline]] void release_none() noexcept {
  (void)ThreadCache::mine();
}

[[gnu::always_inline]] inline void release_late(Thread& self, Freed due) noexcept {
  if (due.block == nullptr) [[unlikely]]
    return release_none();
  self.cache->push(class_of_object(due.entry, due.block, kNoBlock), due);
}

[[gnu::noinline, gnu::cold]] void release_resting(PageEntry entry, void* block) noexcept {
  thread.maybe_rest();
  release_late(thread, thread.exchange({block, entry}));
}

// One of the smallest objects is taken in some frees later, when the lines that this needs have come into the
// cache.
[[gnu::always_inline]] inline void release(void* block) noexcept {
  const PageEntry entry = page_map.get(reinterpret_cast<std::uintptr_t>(block));
  if (!entry.is_tiny()) [[unlikely]]
    return release_block(entry, block);
  __builtin_prefetch(entry.span());
  __builtin_prefetch(block, 1);
  Thread& self = here();
  if (self.late_at == 0 && self.should_look()) [[unlikely]]
    return release_resting(entry, block);
  release_late(self, self.exchange({block, entry}));
}

// Does the frees that are still to be done.
void settle() noexcept {
  for (std::uint32_t left = Thread::kLate; left != 0; --left) release_late(thread, thread.take_late());
  thread.cache->flush_pending();
}

// In its new size, where it is or moved by the kernel; null where it must be copied.
void* resize_to(void* block, Span* span, std::size_t bytes) noexcept {
  if (span->is(SpanState::kMapped))
    return bytes >= heap.tunables.mmap_threshold ? heap.mappings.resize(span, pages_for(bytes)) : nullptr;
  const std::size_t units = units_for(bytes);
  if (units > span->units && heap.is_mapped_alone(bytes)) return nullptr;
  return heap.resize_block(span, units) ? block : nullptr;
}

// The same. A block that grows in small steps gets a sixteenth more than it asks for, so that most steps cost
// nothing; one that shrinks by less than an eighth stays as it is.
void* resize_pages(void* block, Span* span, std::size_t bytes) noexcept {
  const std::size_t usable = span->bytes();
  if (bytes <= kMaxSmall) return nullptr;
  if (bytes <= usable && bytes >= usable - usable / 8) return block;
  const std::size_t step = usable / 16;
  if (heap.tunables.dynamic != 0 && bytes > usable && bytes - usable < step)
    if (void* same = resize_to(block, span, usable + step)) return same;
  return resize_to(block, span, bytes);
}

void lock_everything() noexcept {
  if (_IO_list_lock != nullptr) _IO_list_lock();
  for (Slabs& slabs : heap.shards) slabs.lock().lock();
  heap.lock.lock();
  heap.shelf.lock();
  ThreadCache::registry_lock().lock();
}

void unlock_everything() noexcept {
  ThreadCache::registry_lock().unlock();
  heap.shelf.unlock();
  heap.lock.unlock();
  for (Slabs& slabs : heap.shards) slabs.lock().unlock();
}

void unlock_in_parent() noexcept {
  unlock_everything();
  if (_IO_list_unlock != nullptr) _IO_list_unlock();
}

void unlock_in_child() noexcept {
  heap.pages.forget_sweep();
  ThreadCache::forget_other_threads();
  unlock_everything();
  if (_IO_list_resetlock != nullptr) _IO_list_resetlock();
}

[[gnu::constructor]] void start() noexcept {
  read_environment_once();
  ThreadCache::arm_thread_exit();
  pthread_atfork(lock_everything, unlock_in_parent, unlock_in_child);
}

// A misuse just before the end is found too.
[[gnu::destructor]] void stop() noexcept {
  settle();
  const char* wanted = std::getenv("BRKMMAP_STATS");
  if (wanted != nullptr && std::strcmp(wanted, "1") == 0) malloc_stats();
}

}  // namespace
}  // namespace brkmmap

using namespace brkmmap;

BRKMMAP_EXPORT void* malloc(std::size_t bytes) noexcept {
  return allocate(bytes);
}

BRKMMAP_EXPORT void free(void* block) noexcept {
  release(block);
}

// For operators.cc: calls that no other library can be in between of.
extern "C" [[gnu::alias("malloc"), gnu::visibility("hidden"),
             gnu::copy(malloc)]] void* brkmmap_malloc(std::size_t) noexcept;
extern "C" [[gnu::alias("free"), gnu::visibility("hidden"), gnu::copy(free)]] void brkmmap_free(
    void*) noexcept;

// C23. The size says nothing that the slab or span does not say as fast.
BRKMMAP_EXPORT void free_sized(void* block, std::size_t) noexcept {
  free(block);
}

BRKMMAP_EXPORT void free_aligned_sized(void* block, std::size_t, std::size_t) noexcept {
  free(block);
}

BRKMMAP_EXPORT void cfree(void* block) noexcept {
  free(block);
}

BRKMMAP_EXPORT void* calloc(std::size_t count, std::size_t size) noexcept {
  std::size_t bytes = 0;
  if (__builtin_mul_overflow(count, size, &bytes)) return refused();
  std::size_t dirty_bytes = bytes;
  const bool small = bytes <= g_cached_limit.load(std::memory_order_relaxed);
  void* block = small ? allocate(bytes) : allocate_large(bytes, kUnit, &dirty_bytes, true);
  if (block != nullptr) std::memset(block, 0, std::min(bytes, dirty_bytes));
  return block;
}

BRKMMAP_EXPORT void* realloc(void* block, std::size_t bytes) noexcept {
  if (block == nullptr) return allocate(bytes);
  if (bytes == 0) {
    release(block);
    return nullptr;
  }
  const char* const freed = "realloc of a block that is free (as a double free)";
  if (thread.is_late(block)) die(freed, block);
  const Found found =
      find(block, "realloc of a pointer that is no block now (freed, inside of one, or never one)");
  const bool is_free = found.index != kClasses ? static_cast<Object*>(block)->is_free()
                                               : found.entry.span()->is(SpanState::kCached);
  if (is_free) die(freed, block);
  if (bytes > kMostBytes) return refused();
  const std::size_t usable = usable_bytes(found);
  if (found.entry.is_slab()) {
    if (bytes <= usable && bytes >= usable / 2) return block;
  } else if (void* same = resize_pages(block, found.entry.span(), bytes)) {
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
  if (alignment > SIZE_MAX / 2 + 1) {  // no power of two above it
    errno = EINVAL;
    return nullptr;
  }
  return allocate_aligned(alignment < 2 ? 1 : std::bit_ceil(alignment), bytes);
}

BRKMMAP_EXPORT void* aligned_alloc(std::size_t alignment, std::size_t bytes) noexcept {
  return memalign(alignment, bytes);
}

// POSIX leaves errno open; as glibc does, a refusal sets it.
BRKMMAP_EXPORT int posix_memalign(void** block, std::size_t alignment, std::size_t bytes) noexcept {
  if (alignment < sizeof(void*) || !std::has_single_bit(alignment)) return EINVAL;
  void* got = allocate_aligned(alignment, bytes);
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
  if (block == nullptr) return 0;
  return usable_bytes(find(block, "malloc_usable_size of a pointer that is no block now"));
}

BRKMMAP_EXPORT int malloc_trim(std::size_t pad) noexcept {
  const bool kept = heap.kernel.retained.kept_bytes.load(std::memory_order_relaxed) != 0;
  thread.flush();
  return heap.trim(pad) || kept ? 1 : 0;
}

BRKMMAP_EXPORT int mallopt(int parameter, int value) noexcept {
  read_environment_once();
  if (value < 0) return parameter == M_TRIM_THRESHOLD && (heap.tunables.trim_threshold.set(UINT64_MAX), true);
  const std::uint64_t amount = static_cast<std::uint64_t>(value);
  switch (parameter) {
    case M_MMAP_THRESHOLD:
      heap.tunables.mmap_threshold.set(amount < kPageSize ? kPageSize : amount);
      update_cached_limit();
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
    case M_PERTURB:
      return 0;  // blocks are not filled
    default:
      return 1;  // glibc's further ones are hints, which may be ignored
  }
}
