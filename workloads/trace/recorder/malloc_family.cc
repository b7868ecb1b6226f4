// malloc and its family as the program calls them: passed on to the next library, and written down. What the
// allocator or the recorder call themselves meanwhile (Thread::busy) is passed on alone. Above: the program.
// Below: real.h, recording.h.
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "workloads/trace/recorder/real.h"
#include "workloads/trace/recorder/recording.h"

#define HEAPMARK_EXPORT extern "C" __attribute__((visibility("default")))

namespace {

using namespace heapmark::recorder;

// Sets busy for a call that is the program's own.
class Busy {
 public:
  explicit Busy(Thread& thread) : thread_(thread) { thread_.busy = true; }
  ~Busy() { thread_.busy = false; }
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;

 private:
  Thread& thread_;
};

std::uintptr_t address_of(const void* block) {
  return reinterpret_cast<std::uintptr_t>(block);
}

unsigned log2_of(std::size_t alignment) {
  unsigned log2 = 0;
  while (log2 < 63 && (std::size_t{1} << log2) < alignment) ++log2;
  return log2;
}

// Whether the real functions are known; false while they are looked for.
bool is_ready() {
  return HEAPMARK_LIKELY(real.free != nullptr) || find_real();
}

// `call` gives the block.
template <RawOp op, typename Call>
inline void* requested(std::size_t bytes, unsigned align_log2, const Call& call) {
  Thread& thread = this_thread;
  if (HEAPMARK_UNLIKELY(thread.busy)) return call();
  Busy busy(thread);
  void* const block = call();
  record_request<op>(thread, block, bytes, align_log2);
  return block;
}

template <typename Call>
inline void given_up(void* block, const Call& call) {
  if (HEAPMARK_UNLIKELY(block == nullptr || is_early(block))) return;
  Thread& thread = this_thread;
  if (HEAPMARK_UNLIKELY(thread.busy)) {
    call();
    return;
  }
  Busy busy(thread);
  record_free(thread, address_of(block));
  call();
}

void* early_realloc(void* block, std::size_t bytes) {
  std::size_t old_bytes = 0;
  memcpy(&old_bytes, static_cast<unsigned char*>(block) - 16, sizeof old_bytes);
  void* const moved = malloc(bytes);
  if (moved != nullptr) memcpy(moved, block, old_bytes < bytes ? old_bytes : bytes);
  return moved;
}

void* resized(void* block, std::size_t bytes) {
  Thread& thread = this_thread;
  if (HEAPMARK_UNLIKELY(thread.busy)) return real.realloc(block, bytes);
  Busy busy(thread);
  const std::size_t large_bytes = look_at_large(thread, address_of(block));
  const bool begun = record<kRawReallocBegin>(thread, address_of(block), 0);
  void* const now = real.realloc(block, bytes);
  if (!begun) return now;
  if (HEAPMARK_LIKELY(now != nullptr)) {
    if (record<kRawReallocEnd>(thread, address_of(now), bytes)) remember_large(now, bytes);
  } else if (bytes == 0) {
    record<kRawReallocFreed>(thread, 0, 0);
  } else {
    record<kRawReallocFailed>(thread, 0, bytes);
    remember_large(block, large_bytes);  // it lives on
  }
  return now;
}

std::size_t page_bytes() {
  return static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

HEAPMARK_EXPORT void* malloc(std::size_t bytes) {
  if (HEAPMARK_UNLIKELY(!is_ready())) return early_block(bytes, 16);
  return requested<kRawMalloc>(bytes, 0, [&] { return real.malloc(bytes); });
}

HEAPMARK_EXPORT void* calloc(std::size_t count, std::size_t size) {
  std::size_t bytes = 0;
  if (__builtin_mul_overflow(count, size, &bytes)) bytes = SIZE_MAX;
  if (HEAPMARK_UNLIKELY(!is_ready())) return early_block(bytes, 16);
  return requested<kRawCalloc>(bytes, 0, [&] { return real.calloc(count, size); });
}

HEAPMARK_EXPORT void* realloc(void* block, std::size_t bytes) {
  if (block == nullptr) {
    if (HEAPMARK_UNLIKELY(!is_ready())) return early_block(bytes, 16);
    return requested<kRawMalloc>(bytes, 0, [&] { return real.realloc(nullptr, bytes); });
  }
  if (HEAPMARK_UNLIKELY(is_early(block))) return early_realloc(block, bytes);
  return resized(block, bytes);
}

// Not the next library's: that would call realloc, which is this one.
HEAPMARK_EXPORT void* reallocarray(void* block, std::size_t count, std::size_t size) {
  std::size_t bytes = 0;
  if (__builtin_mul_overflow(count, size, &bytes)) {
    errno = ENOMEM;
    return nullptr;
  }
  return realloc(block, bytes);
}

HEAPMARK_EXPORT void free(void* block) {
  if (HEAPMARK_UNLIKELY(!is_ready())) return;
  given_up(block, [&] { real.free(block); });
}

// The C library has it no longer; programs linked long ago ask for it.
HEAPMARK_EXPORT void cfree(void* block) {
  free(block);
}

HEAPMARK_EXPORT void free_sized(void* block, std::size_t bytes) {
  if (real.free_sized == nullptr) return free(block);
  given_up(block, [&] { real.free_sized(block, bytes); });
}

HEAPMARK_EXPORT void free_aligned_sized(void* block, std::size_t alignment, std::size_t bytes) {
  if (real.free_aligned_sized == nullptr) return free(block);
  given_up(block, [&] { real.free_aligned_sized(block, alignment, bytes); });
}

HEAPMARK_EXPORT void* memalign(std::size_t alignment, std::size_t bytes) {
  if (HEAPMARK_UNLIKELY(!is_ready())) return early_block(bytes, alignment);
  if (real.memalign == nullptr) return errno = ENOMEM, nullptr;
  return requested<kRawAligned>(bytes, log2_of(alignment), [&] { return real.memalign(alignment, bytes); });
}

HEAPMARK_EXPORT void* aligned_alloc(std::size_t alignment, std::size_t bytes) {
  if (HEAPMARK_UNLIKELY(!is_ready())) return early_block(bytes, alignment);
  if (real.aligned_alloc == nullptr) return memalign(alignment, bytes);
  return requested<kRawAligned>(bytes, log2_of(alignment),
                                [&] { return real.aligned_alloc(alignment, bytes); });
}

HEAPMARK_EXPORT int posix_memalign(void** result, std::size_t alignment, std::size_t bytes) {
  if (HEAPMARK_UNLIKELY(!is_ready())) {
    void* const block = early_block(bytes, alignment);
    if (block == nullptr) return ENOMEM;
    *result = block;
    return 0;
  }
  if (real.posix_memalign == nullptr) return ENOMEM;
  int error = 0;
  void* block = nullptr;
  // An alignment that is refused (EINVAL) was no request.
  const auto call = [&] {
    error = real.posix_memalign(&block, alignment, bytes);
    if (error == 0) *result = block;
    return error == 0 ? block : nullptr;
  };
  const bool valid = alignment % sizeof(void*) == 0 && alignment != 0 && (alignment & (alignment - 1)) == 0;
  if (valid)
    requested<kRawAligned>(bytes, log2_of(alignment), call);
  else
    call();
  return error;
}

HEAPMARK_EXPORT void* valloc(std::size_t bytes) {
  if (HEAPMARK_UNLIKELY(!is_ready())) return early_block(bytes, page_bytes());
  if (real.valloc == nullptr) return memalign(page_bytes(), bytes);
  return requested<kRawAligned>(bytes, log2_of(page_bytes()), [&] { return real.valloc(bytes); });
}

HEAPMARK_EXPORT void* pvalloc(std::size_t bytes) {
  const std::size_t page = page_bytes();
  const std::size_t rounded = bytes == 0                ? page
                              : bytes > SIZE_MAX - page ? bytes
                                                        : (bytes + page - 1) / page * page;
  if (HEAPMARK_UNLIKELY(!is_ready())) return early_block(rounded, page);
  if (real.pvalloc == nullptr) return memalign(page, rounded);
  return requested<kRawAligned>(rounded, log2_of(page), [&] { return real.pvalloc(bytes); });
}
