// C++'s operators new and delete in all forms, under the mangled names of the Itanium C++ ABI for 64-bit
// size_t: they are passed on to the next library's own (an allocator's often do not go through malloc). One
// that calls malloc inside is recorded there, and not a second time. new may throw, so nothing here is left
// to be undone after it. Above: the program. Below: real.h, recording.h.
#include <cstdint>

#include "workloads/trace/recorder/real.h"
#include "workloads/trace/recorder/recording.h"

#define HEAPMARK_EXPORT extern "C" __attribute__((visibility("default")))

extern "C" void* malloc(std::size_t bytes);
extern "C" void* memalign(std::size_t alignment, std::size_t bytes);
extern "C" void free(void* block);

namespace {

using namespace heapmark::recorder;

// The next library's operator, looked for at the first call: the C++ library may be loaded late.
template <typename Function>
class Operator {
 public:
  explicit constexpr Operator(const char* name) : name_(name) {}
  // Null where there is none.
  Function get() {
    Function found = __atomic_load_n(&found_, __ATOMIC_RELAXED);
    return HEAPMARK_LIKELY(found != nullptr) ? found : look();
  }

 private:
  __attribute__((noinline)) Function look() {
    Thread& thread = this_thread;
    const bool busy = thread.busy;
    thread.busy = true;
    const Function found = find_real() ? reinterpret_cast<Function>(find_next(name_)) : nullptr;
    thread.busy = busy;
    __atomic_store_n(&found_, found, __ATOMIC_RELAXED);
    return found;
  }
  const char* name_;
  Function found_ = nullptr;
};

// A C++ library whose operators cannot be found: malloc serves, and a refusal cannot be thrown.
void* without_operator(void* block, bool throws) {
  if (block == nullptr && throws)
    die("operator new: out of memory, and no C++ library to throw std::bad_alloc");
  return block;
}

template <RawOp op, typename Call>
inline void* made(std::size_t bytes, unsigned align_log2, const Call& call) {
  Thread& thread = this_thread;
  if (HEAPMARK_UNLIKELY(thread.busy)) return call();
  const std::uint64_t before = thread.allocations;
  void* const block = call();
  if (thread.allocations != before || block == nullptr) return block;
  thread.busy = true;
  record_request<op>(thread, block, bytes, align_log2);
  thread.busy = false;
  return block;
}

template <typename Call>
inline void unmade(void* block, const Call& call) {
  Thread& thread = this_thread;
  if (HEAPMARK_UNLIKELY(block == nullptr || is_early(block))) return;
  if (HEAPMARK_UNLIKELY(thread.busy)) {
    call();
    return;
  }
  thread.busy = true;
  record_free(thread, reinterpret_cast<std::uintptr_t>(block));
  call();
  thread.busy = false;
}

unsigned log2_of(std::size_t alignment) {
  return alignment <= 1 ? 0 : 64 - static_cast<unsigned>(__builtin_clzl(alignment - 1));
}

using Nothrow = const void*;

}  // namespace

#define HEAPMARK_NEW(function, mangled, throws)                                      \
  HEAPMARK_EXPORT void* function(std::size_t bytes) __asm__(mangled);                \
  HEAPMARK_EXPORT void* function(std::size_t bytes) {                                \
    static constinit Operator<void* (*)(std::size_t)> next{mangled};                 \
    const auto call = next.get();                                                    \
    if (call == nullptr) return without_operator(malloc(bytes ? bytes : 1), throws); \
    return made<kRawMalloc>(bytes, 0, [&] { return call(bytes); });                  \
  }
#define HEAPMARK_NEW_NOTHROW(function, mangled)                                        \
  HEAPMARK_EXPORT void* function(std::size_t bytes, Nothrow nothrow) __asm__(mangled); \
  HEAPMARK_EXPORT void* function(std::size_t bytes, Nothrow nothrow) {                 \
    static constinit Operator<void* (*)(std::size_t, Nothrow)> next{mangled};          \
    const auto call = next.get();                                                      \
    if (call == nullptr) return without_operator(malloc(bytes ? bytes : 1), false);    \
    return made<kRawMalloc>(bytes, 0, [&] { return call(bytes, nothrow); });           \
  }
#define HEAPMARK_NEW_ALIGNED(function, mangled)                                                  \
  HEAPMARK_EXPORT void* function(std::size_t bytes, std::size_t alignment) __asm__(mangled);     \
  HEAPMARK_EXPORT void* function(std::size_t bytes, std::size_t alignment) {                     \
    static constinit Operator<void* (*)(std::size_t, std::size_t)> next{mangled};                \
    const auto call = next.get();                                                                \
    if (call == nullptr) return without_operator(memalign(alignment, bytes ? bytes : 1), true);  \
    return made<kRawAligned>(bytes, log2_of(alignment), [&] { return call(bytes, alignment); }); \
  }
#define HEAPMARK_NEW_ALIGNED_NOTHROW(function, mangled)                                                   \
  HEAPMARK_EXPORT void* function(std::size_t bytes, std::size_t alignment,                                \
                                 Nothrow nothrow) __asm__(mangled);                                       \
  HEAPMARK_EXPORT void* function(std::size_t bytes, std::size_t alignment, Nothrow nothrow) {             \
    static constinit Operator<void* (*)(std::size_t, std::size_t, Nothrow)> next{mangled};                \
    const auto call = next.get();                                                                         \
    if (call == nullptr) return without_operator(memalign(alignment, bytes ? bytes : 1), false);          \
    return made<kRawAligned>(bytes, log2_of(alignment), [&] { return call(bytes, alignment, nothrow); }); \
  }

HEAPMARK_NEW(new_one, "_Znwm", true)
HEAPMARK_NEW(new_array, "_Znam", true)
HEAPMARK_NEW_NOTHROW(new_one_nothrow, "_ZnwmRKSt9nothrow_t")
HEAPMARK_NEW_NOTHROW(new_array_nothrow, "_ZnamRKSt9nothrow_t")
HEAPMARK_NEW_ALIGNED(new_one_aligned, "_ZnwmSt11align_val_t")
HEAPMARK_NEW_ALIGNED(new_array_aligned, "_ZnamSt11align_val_t")
HEAPMARK_NEW_ALIGNED_NOTHROW(new_one_aligned_nothrow, "_ZnwmSt11align_val_tRKSt9nothrow_t")
HEAPMARK_NEW_ALIGNED_NOTHROW(new_array_aligned_nothrow, "_ZnamSt11align_val_tRKSt9nothrow_t")

// `parameters` and `arguments` after the block: its size, alignment, nothrow.
#define HEAPMARK_LIST(...) __VA_ARGS__
#define HEAPMARK_DELETE(function, mangled, types, parameters, arguments)  \
  HEAPMARK_EXPORT void function(void* block parameters) __asm__(mangled); \
  HEAPMARK_EXPORT void function(void* block parameters) {                 \
    static constinit Operator<void (*)(void* types)> next{mangled};       \
    const auto call = next.get();                                         \
    if (call == nullptr) return free(block);                              \
    unmade(block, [&] { call(block arguments); });                        \
  }
#define HEAPMARK_TYPES_A HEAPMARK_LIST(, std::size_t)
#define HEAPMARK_PARAMETERS_A HEAPMARK_LIST(, std::size_t a)
#define HEAPMARK_ARGUMENTS_A HEAPMARK_LIST(, a)
#define HEAPMARK_TYPES_AB HEAPMARK_LIST(, std::size_t, std::size_t)
#define HEAPMARK_PARAMETERS_AB HEAPMARK_LIST(, std::size_t a, std::size_t b)
#define HEAPMARK_ARGUMENTS_AB HEAPMARK_LIST(, a, b)
#define HEAPMARK_TYPES_N HEAPMARK_LIST(, Nothrow)
#define HEAPMARK_PARAMETERS_N HEAPMARK_LIST(, Nothrow n)
#define HEAPMARK_ARGUMENTS_N HEAPMARK_LIST(, n)
#define HEAPMARK_TYPES_AN HEAPMARK_LIST(, std::size_t, Nothrow)
#define HEAPMARK_PARAMETERS_AN HEAPMARK_LIST(, std::size_t a, Nothrow n)
#define HEAPMARK_ARGUMENTS_AN HEAPMARK_LIST(, a, n)
#define HEAPMARK_DELETES(name, letter)                                                                       \
  HEAPMARK_DELETE(name, "_Zd" letter "Pv", , , )                                                             \
  HEAPMARK_DELETE(name##_nothrow, "_Zd" letter "PvRKSt9nothrow_t", HEAPMARK_TYPES_N, HEAPMARK_PARAMETERS_N,  \
                  HEAPMARK_ARGUMENTS_N)                                                                      \
  HEAPMARK_DELETE(name##_sized, "_Zd" letter "Pvm", HEAPMARK_TYPES_A, HEAPMARK_PARAMETERS_A,                 \
                  HEAPMARK_ARGUMENTS_A)                                                                      \
  HEAPMARK_DELETE(name##_aligned, "_Zd" letter "PvSt11align_val_t", HEAPMARK_TYPES_A, HEAPMARK_PARAMETERS_A, \
                  HEAPMARK_ARGUMENTS_A)                                                                      \
  HEAPMARK_DELETE(name##_sized_aligned, "_Zd" letter "PvmSt11align_val_t", HEAPMARK_TYPES_AB,                \
                  HEAPMARK_PARAMETERS_AB, HEAPMARK_ARGUMENTS_AB)                                             \
  HEAPMARK_DELETE(name##_aligned_nothrow, "_Zd" letter "PvSt11align_val_tRKSt9nothrow_t", HEAPMARK_TYPES_AN, \
                  HEAPMARK_PARAMETERS_AN, HEAPMARK_ARGUMENTS_AN)

HEAPMARK_DELETES(delete_one, "l")
HEAPMARK_DELETES(delete_array, "a")
