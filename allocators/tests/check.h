// What a conformance check is: a named function that returns "" where malloc behaves as C17, POSIX or glibc's
// manual says, and otherwise what it does instead. Each runs in a process of its own (conformance_child).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

namespace heapmark::conformance {

using Check = std::string (*)();
void add_check(const char* name, Check check);

// A check in one piece: CHECK_THAT_MALLOC(name) { ... return ""; }
#define MALLOC_CHECK(name)                         \
  static std::string name();                       \
  [[gnu::constructor]] static void add_##name() {  \
    heapmark::conformance::add_check(#name, name); \
  }                                                \
  static std::string name()

#define EXPECT(condition) \
  if (!(condition)) return std::string("not so: " #condition " (line ") + std::to_string(__LINE__) + ")"

// Pointers and sizes that the optimiser cannot see through.
template <typename T>
T hidden(T value) {
  asm volatile("" : "+r"(value) : : "memory");
  return value;
}

inline void fill(void* block, std::size_t bytes, unsigned char with) {
  std::memset(block, with, bytes);
}

inline bool holds(const void* block, std::size_t bytes, unsigned char what) {
  const auto* at = static_cast<const unsigned char*>(block);
  for (std::size_t byte = 0; byte < bytes; ++byte)
    if (at[byte] != what) return false;
  return true;
}

inline bool is_aligned(const void* block, std::size_t to) {
  return reinterpret_cast<std::uintptr_t>(block) % to == 0;
}

}  // namespace heapmark::conformance
