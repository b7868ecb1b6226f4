// The library of a malloc loaded by dlopen into a program that runs on another: its blocks are had and given
// back through dlsym (dlopen(3)). What hinders it is thread-local memory of the initial-exec kind beyond what
// the loader keeps in reserve.
#include <dlfcn.h>
#include <unistd.h>

#include <cstdio>
#include <thread>

#include "allocators/tests/check.h"

using namespace heapmark::conformance;

namespace {

constexpr const char* kLibraryVariable = "CONFORMANCE_LATE_LIBRARY";

template <typename Function>
Function symbol(void* library, const char* name) {
  return reinterpret_cast<Function>(dlsym(library, name));
}

// In the process that doesn't have the library yet.
std::string load_and_use(const char* path) {
  void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return std::string("dlopen: ") + dlerror();
  const auto late_malloc = symbol<void* (*)(std::size_t)>(library, "malloc");
  const auto late_realloc = symbol<void* (*)(void*, std::size_t)>(library, "realloc");
  const auto late_free = symbol<void (*)(void*)>(library, "free");
  EXPECT(late_malloc != nullptr && late_realloc != nullptr && late_free != nullptr);
  const auto use = [&]() -> bool {
    for (const std::size_t bytes : {1u, 100u, 5000u, 60'000u, 400'000u, 5'000'000u}) {
      void* block = hidden(late_malloc(bytes));
      if (block == nullptr) return false;
      fill(block, bytes, 0x37);
      block = hidden(late_realloc(block, bytes * 2));
      if (block == nullptr || !holds(block, bytes, 0x37)) return false;
      late_free(block);
    }
    return true;
  };
  EXPECT(use());
  bool of_thread = false;
  std::thread([&] { of_thread = use(); }).join();
  EXPECT(of_thread);
  std::free(hidden(std::malloc(1000)));
  return "";
}

}  // namespace

MALLOC_CHECK(the_library_can_be_loaded_late) {
  if (const char* path = std::getenv(kLibraryVariable)) return load_and_use(path);
  Dl_info info{};
  void* address = dlsym(RTLD_DEFAULT, "malloc");
  EXPECT(address != nullptr && dladdr(address, &info) != 0);
  EXPECT(setenv(kLibraryVariable, info.dli_fname, 1) == 0 && unsetenv("LD_PRELOAD") == 0);
  execl("/proc/self/exe", "conformance_child", "the_library_can_be_loaded_late", nullptr);
  return "the check cannot be started again";
}
