// The C++ operators new and delete, all forms (C++20, [new.delete]), so that they take as few steps as malloc
// and free. The C++ library is not linked: where a request is refused, its new_handler and bad_alloc are
// found when the program has one. Where it has none, nobody can call operator new.
#include <cstdlib>
#include <new>

#include "allocators/brkmmap/die.h"

#define BRKMMAP_EXPORT __attribute__((visibility("default")))

extern "C" {
// malloc and free, see entry.cc.
[[gnu::visibility("hidden")]] void* brkmmap_malloc(std::size_t) noexcept;
[[gnu::visibility("hidden")]] void brkmmap_free(void*) noexcept;
// std::get_new_handler() and std::__throw_bad_alloc(): weak, as above.
[[gnu::weak, gnu::visibility("default")]] std::new_handler _ZSt15get_new_handlerv();
[[gnu::weak, gnu::visibility("default"), noreturn]] void _ZSt17__throw_bad_allocv();
}

namespace {

// As [new.delete.single] says: the handler is called until the request succeeds or there is none.
template <typename Ask>
[[gnu::noinline, gnu::cold]] void* insist(Ask ask, bool throws) {
  for (;;) {
    const std::new_handler handler = _ZSt15get_new_handlerv != nullptr ? _ZSt15get_new_handlerv() : nullptr;
    if (handler == nullptr) break;
    handler();
    if (void* block = ask()) return block;
  }
  if (!throws) return nullptr;
  if (_ZSt17__throw_bad_allocv != nullptr) _ZSt17__throw_bad_allocv();
  brkmmap::die("operator new: out of memory, and no C++ library that could throw bad_alloc", nullptr);
}

[[gnu::always_inline]] inline void* ask_for(std::size_t bytes, bool throws) {
  if (void* block = brkmmap_malloc(bytes)) [[likely]]
    return block;
  return insist([=] { return brkmmap_malloc(bytes); }, throws);
}

[[gnu::always_inline]] inline void* ask_for(std::size_t bytes, std::align_val_t alignment, bool throws) {
  const auto ask = [=] { return std::aligned_alloc(static_cast<std::size_t>(alignment), bytes); };
  if (void* block = ask()) [[likely]]
    return block;
  return insist(ask, throws);
}

}  // namespace

// clang-format off
BRKMMAP_EXPORT void* operator new(std::size_t n) { return ask_for(n, true); }
BRKMMAP_EXPORT void* operator new[](std::size_t n) { return ask_for(n, true); }
BRKMMAP_EXPORT void* operator new(std::size_t n, const std::nothrow_t&) noexcept { return ask_for(n, false); }
BRKMMAP_EXPORT void* operator new[](std::size_t n, const std::nothrow_t&) noexcept { return ask_for(n, false); }
BRKMMAP_EXPORT void* operator new(std::size_t n, std::align_val_t a) { return ask_for(n, a, true); }
BRKMMAP_EXPORT void* operator new[](std::size_t n, std::align_val_t a) { return ask_for(n, a, true); }
BRKMMAP_EXPORT void* operator new(std::size_t n, std::align_val_t a, const std::nothrow_t&) noexcept { return ask_for(n, a, false); }
BRKMMAP_EXPORT void* operator new[](std::size_t n, std::align_val_t a, const std::nothrow_t&) noexcept { return ask_for(n, a, false); }
BRKMMAP_EXPORT void operator delete(void* p) noexcept { brkmmap_free(p); }
BRKMMAP_EXPORT void operator delete[](void* p) noexcept { brkmmap_free(p); }
BRKMMAP_EXPORT void operator delete(void* p, std::size_t) noexcept { brkmmap_free(p); }
BRKMMAP_EXPORT void operator delete[](void* p, std::size_t) noexcept { brkmmap_free(p); }
BRKMMAP_EXPORT void operator delete(void* p, const std::nothrow_t&) noexcept { brkmmap_free(p); }
BRKMMAP_EXPORT void operator delete[](void* p, const std::nothrow_t&) noexcept { brkmmap_free(p); }
BRKMMAP_EXPORT void operator delete(void* p, std::align_val_t) noexcept { brkmmap_free(p); }
BRKMMAP_EXPORT void operator delete[](void* p, std::align_val_t) noexcept { brkmmap_free(p); }
BRKMMAP_EXPORT void operator delete(void* p, std::size_t, std::align_val_t) noexcept { brkmmap_free(p); }
BRKMMAP_EXPORT void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { brkmmap_free(p); }
BRKMMAP_EXPORT void operator delete(void* p, std::align_val_t, const std::nothrow_t&) noexcept { brkmmap_free(p); }
BRKMMAP_EXPORT void operator delete[](void* p, std::align_val_t, const std::nothrow_t&) noexcept { brkmmap_free(p); }
// clang-format on
