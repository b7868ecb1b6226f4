// See real.h.
#include "workloads/trace/recorder/real.h"

#include <dlfcn.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <initializer_list>

#include "workloads/trace/recorder/recording.h"

namespace heapmark::recorder {
namespace {

std::atomic<std::size_t> early_used{0};
bool under_way;  // in the first call of all, before there can be a second thread

template <typename Function>
void find(Function& function, const char* name) {
  function = reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

// Even a program that never allocates is then known to have loaded the recorder.
__attribute__((constructor)) void at_start() {
  (void)find_real();
}

}  // namespace

constinit Real real{};
alignas(64) constinit unsigned char early_arena[kEarlyBytes] = {};

bool find_real() {
  if (real.free != nullptr) return true;
  if (under_way) return false;
  under_way = true;
  const bool busy = this_thread.busy;
  this_thread.busy = true;
  Real found{};
  find(found.malloc, "malloc");
  find(found.calloc, "calloc");
  find(found.realloc, "realloc");
  find(found.memalign, "memalign");
  find(found.posix_memalign, "posix_memalign");
  find(found.aligned_alloc, "aligned_alloc");
  find(found.valloc, "valloc");
  find(found.pvalloc, "pvalloc");
  find(found.free_sized, "free_sized");
  find(found.free_aligned_sized, "free_aligned_sized");
  find(found.free, "free");
  if (found.malloc == nullptr || found.calloc == nullptr || found.realloc == nullptr || found.free == nullptr)
    die("no library behind it has malloc, calloc, realloc and free");
  real = found;
  attach();
  this_thread.busy = busy;
  under_way = false;
  return true;
}

void* find_next(const char* name) {
  if (void* const found = dlsym(RTLD_NEXT, name); found != nullptr) return found;
  void* const library = dlopen("libstdc++.so.6", RTLD_LAZY | RTLD_NOLOAD);
  return library != nullptr ? dlsym(library, name) : nullptr;
}

void* early_block(std::size_t bytes, std::size_t alignment) {
  if (bytes > kEarlyBytes || alignment > kRawPage) return nullptr;
  if (alignment < 16) alignment = 16;
  // The size lies in front of the block, for realloc.
  const std::size_t needed = 16 + alignment + bytes;
  const std::size_t at = early_used.fetch_add(needed);
  if (at + needed > kEarlyBytes) return nullptr;
  const std::uintptr_t begin = reinterpret_cast<std::uintptr_t>(early_arena) + at + 16;
  const std::uintptr_t block = (begin + alignment - 1) / alignment * alignment;
  std::memcpy(reinterpret_cast<void*>(block - 16), &bytes, sizeof bytes);
  return reinterpret_cast<void*>(block);
}

void die(const char* line) {
  for (const char* part : {"heapmark-recorder: ", line, "\n"})
    (void)!write(STDERR_FILENO, part, std::strlen(part));
  _exit(127);
}

}  // namespace heapmark::recorder
