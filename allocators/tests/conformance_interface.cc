// The functions beside malloc and free: glibc's extensions, C23's sized frees, C++'s failing operator new.
// Each that glibc has must be the allocator's own, for glibc's would be handed blocks it does not know
// (malloc(3)).
#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <new>
#include <vector>

#include "allocators/tests/check.h"

using namespace heapmark::conformance;

namespace {

template <typename Function>
Function symbol(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, name));
}

// The file that the symbol comes from; "" where there is none of that name.
std::string origin(const char* name) {
  Dl_info info{};
  void* address = dlsym(RTLD_DEFAULT, name);
  if (address == nullptr || dladdr(address, &info) == 0) return "";
  return info.dli_fname;
}

std::string comes_with_malloc(std::initializer_list<const char*> names) {
  std::string foreign;
  for (const char* name : names)
    if (origin(name) != origin("malloc")) foreign += std::string(" ") + name;
  return foreign.empty() ? "" : "not from the library that malloc is from:" + foreign;
}

int handler_calls = 0;
void give_up_at_the_third_call() {
  if (++handler_calls == 3) std::set_new_handler(nullptr);
}

}  // namespace

MALLOC_CHECK(what_gives_and_takes_blocks_comes_with_malloc) {
  return comes_with_malloc({"free", "calloc", "realloc", "reallocarray", "memalign", "aligned_alloc",
                            "posix_memalign", "valloc", "pvalloc", "malloc_usable_size"});
}

MALLOC_CHECK(what_reports_and_tunes_comes_with_malloc) {
  return comes_with_malloc(
      {"mallinfo", "mallinfo2", "malloc_info", "malloc_stats", "mallopt", "malloc_trim"});
}

MALLOC_CHECK(operator_new_and_delete_use_malloc) {
  // Either the allocator's own or the C++ library's, which call malloc: a block may pass between them.
  for (const std::size_t bytes : {1u, 100u, 5000u, 300'000u}) {
    void* block = hidden(::operator new(bytes));
    EXPECT(malloc_usable_size(block) >= bytes);
    fill(block, malloc_usable_size(block), 0x31);
    ::operator delete(block);
  }
  return "";
}

MALLOC_CHECK(operator_new_throws_and_calls_the_handler_when_refused) {
  handler_calls = 0;
  std::set_new_handler(give_up_at_the_third_call);
  bool thrown = false;
  try {
    std::free(hidden(::operator new(hidden(std::size_t{PTRDIFF_MAX}))));
  } catch (const std::bad_alloc&) {
    thrown = true;
  }
  EXPECT(thrown && handler_calls == 3);
  thrown = false;
  try {
    std::free(hidden(::operator new (hidden(std::size_t{PTRDIFF_MAX} - 4096), std::align_val_t{64})));
  } catch (const std::bad_alloc&) {
    thrown = true;
  }
  EXPECT(thrown);
  EXPECT(hidden(::operator new(hidden(std::size_t{PTRDIFF_MAX}), std::nothrow)) == nullptr);
  EXPECT(hidden(::operator new[](hidden(std::size_t{PTRDIFF_MAX}), std::align_val_t{128}, std::nothrow)) ==
         nullptr);
  return "";
}

MALLOC_CHECK(free_sized_takes_what_malloc_gave) {
  const auto free_sized = symbol<void (*)(void*, std::size_t)>("free_sized");
  if (free_sized == nullptr) return "not there: no such function";
  for (std::size_t bytes = 0; bytes < 300'000; bytes += bytes / 16 + 1)
    for (int kind = 0; kind < 3; ++kind) {
      void* block = hidden(kind == 0   ? std::malloc(bytes)
                           : kind == 1 ? std::calloc(bytes, 1)
                                       : std::realloc(std::malloc(10), bytes + 1));
      EXPECT(block != nullptr);
      fill(block, bytes, 0x2B);
      errno = 4711;
      free_sized(block, kind == 2 ? bytes + 1 : bytes);
      EXPECT(errno == 4711);
    }
  free_sized(nullptr, 0);
  free_sized(nullptr, 100);
  return "";
}

MALLOC_CHECK(free_aligned_sized_takes_what_aligned_alloc_gave) {
  const auto free_aligned_sized = symbol<void (*)(void*, std::size_t, std::size_t)>("free_aligned_sized");
  if (free_aligned_sized == nullptr) return "not there: no such function";
  for (std::size_t alignment = 16; alignment <= std::size_t{1} << 22; alignment *= 2)
    for (const std::size_t bytes : {std::size_t{1}, alignment, 2 * alignment, 5 * alignment + 3}) {
      void* block = hidden(std::aligned_alloc(alignment, bytes));
      EXPECT(block != nullptr);
      fill(block, bytes, 0x2C);
      errno = 4711;
      free_aligned_sized(block, alignment, bytes);
      EXPECT(errno == 4711);
    }
  free_aligned_sized(nullptr, 64, 0);
  return "";
}

MALLOC_CHECK(mallinfo2_counts_a_large_block) {
  const auto in_use = [] {
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
  };
  const std::size_t before = in_use();
  void* block = hidden(std::malloc(8'000'000));
  fill(block, 8'000'000, 1);
  EXPECT(in_use() >= before + 8'000'000);
  std::free(block);
  EXPECT(in_use() < before + 8'000'000);
  return "";
}

MALLOC_CHECK(malloc_info_writes_xml_and_refuses_options) {
  FILE* file = fdopen(memfd_create("malloc_info", 0), "w+");
  EXPECT(file != nullptr && malloc_info(0, file) == 0 && std::fflush(file) == 0);
  std::rewind(file);
  char text[64] = {};
  EXPECT(std::fread(text, 1, sizeof text - 1, file) > 10);
  EXPECT(std::strstr(text, "<malloc") != nullptr);
  EXPECT(malloc_info(1, file) != 0);
  std::fclose(file);
  return "";
}

MALLOC_CHECK(malloc_trim_gives_freed_memory_back) {
  std::vector<void*> blocks;
  for (int at = 0; at < 4000; ++at) {
    blocks.push_back(std::malloc(10'000));
    fill(blocks.back(), 10'000, 1);
  }
  const auto rss_bytes = [] {
    FILE* file = std::fopen("/proc/self/statm", "r");
    unsigned long all = 0, resident = 0;
    if (file == nullptr || std::fscanf(file, "%lu %lu", &all, &resident) != 2) resident = 0;
    if (file != nullptr) std::fclose(file);
    return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  };
  const std::size_t full = rss_bytes();
  for (void* block : blocks) std::free(block);
  malloc_trim(0);
  EXPECT(full > 40'000'000 && rss_bytes() < full - 30'000'000);
  return "";
}

MALLOC_CHECK(malloc_stats_writes_and_harms_nothing) {
  void* block = hidden(std::malloc(5000));
  fill(block, 5000, 0x62);
  malloc_stats();
  EXPECT(holds(block, 5000, 0x62));
  std::free(block);
  return "";
}

MALLOC_CHECK(malloc_stats_is_no_cancellation_point) {  // pthreads(7) doesn't name it
  bool came_back = false;
  const auto ask = [](void* flag) -> void* {
    pthread_cancel(pthread_self());  // deferred, to the next point where a thread can be cancelled
    malloc_stats();
    *static_cast<bool*>(flag) = true;
    pthread_testcancel();
    return nullptr;
  };
  pthread_t thread;
  void* result = nullptr;
  EXPECT(pthread_create(&thread, nullptr, ask, &came_back) == 0);
  EXPECT(pthread_join(thread, &result) == 0);
  EXPECT(came_back && result == PTHREAD_CANCELED);
  return "";
}

MALLOC_CHECK(perturb_fills_new_blocks_or_is_refused) {
  constexpr unsigned char kPerturb = 0x5A, kInNew = 0xA5;  // mallopt(3): the complement
  if (mallopt(M_PERTURB, kPerturb) == 0) return "";
  for (const std::size_t bytes : {24u, 500u, 3000u, 20'000u}) {
    void* block = hidden(std::malloc(bytes));
    EXPECT(block != nullptr && holds(block, bytes, kInNew));
    std::free(block);
    void* zero = hidden(std::calloc(1, bytes + 200));
    EXPECT(zero != nullptr && holds(zero, bytes + 200, 0));
    std::free(zero);
  }
  EXPECT(mallopt(M_PERTURB, 0) != 0);
  return "";
}
