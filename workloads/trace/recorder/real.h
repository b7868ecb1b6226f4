// The functions that the recorder stands before: the next library's own, by dlsym(RTLD_NEXT). Decides which
// those are and what happens before they are known (dlsym allocates). Above: malloc_family.cc, operators.cc,
// threads.cc. Below: the loader.
#pragma once

#include <cstddef>
#include <cstdint>

namespace heapmark::recorder {

struct Real {
  void* (*malloc)(std::size_t);
  void* (*calloc)(std::size_t, std::size_t);
  void* (*realloc)(void*, std::size_t);
  void (*free)(void*);
  void* (*memalign)(std::size_t, std::size_t);
  int (*posix_memalign)(void**, std::size_t, std::size_t);
  void* (*aligned_alloc)(std::size_t, std::size_t);
  void* (*valloc)(std::size_t);
  void* (*pvalloc)(std::size_t);
  void (*free_sized)(void*, std::size_t);
  void (*free_aligned_sized)(void*, std::size_t, std::size_t);
};

// All null until find_real().
extern Real real;

// Finds them and attaches the recording. Returns false while that is under way: the caller then serves from
// early_block().
[[nodiscard]] bool find_real();

// The next library's function of that name: where none of the global scope has one, the C++ library's that a
// dlopened one brought; null where there is neither.
[[nodiscard]] void* find_next(const char* name);

// Memory of a fixed arena, zeroed, for calls while find_real() is under way; null where it is used up. Never
// freed.
[[nodiscard]] void* early_block(std::size_t bytes, std::size_t alignment);

inline constexpr std::size_t kEarlyBytes = 65536;
extern unsigned char early_arena[kEarlyBytes];

inline bool is_early(const void* block) {
  return reinterpret_cast<std::uintptr_t>(block) - reinterpret_cast<std::uintptr_t>(early_arena) <
         kEarlyBytes;
}

// One clear line on standard error, and the end.
[[noreturn]] void die(const char* line);

}  // namespace heapmark::recorder
