// Memory that runs out and comes back: limits of the process, small stacks, a full table of mappings. A
// request may be refused with ENOMEM; nothing may crash, and after the scarcity malloc must work again
// (getrlimit(2); mmap(2)).
#include <malloc.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <new>
#include <thread>
#include <vector>

#include "allocators/tests/check.h"
#include "allocators/tests/full_mappings.h"

using namespace heapmark::conformance;
using heapmark::process::FullMappings;

namespace {

constexpr std::size_t kMebibyte = std::size_t{1} << 20;
constexpr std::size_t kSizes[] = {1,      16,     100,     1000,    4000,          9000,         17'000,
                                  40'000, 70'000, 140'000, 300'000, 2 * kMebibyte, 9 * kMebibyte};

unsigned long first_number_in(const char* path) {
  FILE* file = std::fopen(path, "r");
  unsigned long number = 0;
  if (file == nullptr || std::fscanf(file, "%lu", &number) != 1) number = 0;
  if (file != nullptr) std::fclose(file);
  return number;
}

// Lets the address space of the process grow by `budget` at most; false where the kernel refuses.
bool limit_address_space(std::size_t budget) {
  const std::size_t pages = first_number_in("/proc/self/statm");
  rlimit limit{};
  if (pages == 0 || getrlimit(RLIMIT_AS, &limit) != 0) return false;
  limit.rlim_cur = pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE)) + budget;
  return setrlimit(RLIMIT_AS, &limit) == 0;
}

void lift_limit_of_address_space() {
  rlimit limit{};
  getrlimit(RLIMIT_AS, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_AS, &limit);
}

// Blocks linked through their own first words, so that keeping them asks nothing of the malloc under test.
struct Chain {
  struct Link {
    Link* next;
    std::size_t bytes;
  };
  Link* first = nullptr;
  std::size_t total = 0;

  void push(void* block, std::size_t bytes) {
    fill(block, bytes, 0x4D);
    first = new (block) Link{first, bytes};
    total += bytes;
  }
  // False where a block does not hold what was written into it.
  bool free_all() {
    bool whole = true;
    while (first != nullptr) {
      Link* link = first;
      first = link->next;
      const auto* bytes = reinterpret_cast<unsigned char*>(link);
      whole = whole && holds(bytes + sizeof(Link), link->bytes - sizeof(Link), 0x4D);
      std::free(link);
    }
    total = 0;
    return whole;
  }
  // Requests of `bytes` until one is refused or `most` are had; true where the last was refused.
  bool exhaust(std::size_t bytes, std::size_t most) {
    while (total < most) {
      void* block = hidden(std::malloc(bytes));
      if (block == nullptr) return true;
      push(block, bytes);
    }
    return false;
  }
};

// One pass over all the sizes by every function, each block freed; a refusal must say ENOMEM.
std::string ask_for_every_size(bool may_be_refused) {
  for (const std::size_t size : kSizes)
    for (int kind = 0; kind < 4; ++kind) {
      void* old = kind == 2 ? std::malloc(24) : nullptr;
      errno = 0;
      void* block = hidden(kind == 0   ? std::malloc(size)
                           : kind == 1 ? std::calloc(1, size)
                           : kind == 2 ? std::realloc(old, size)
                                       : std::aligned_alloc(4096, size));
      const bool says_so = errno == ENOMEM;
      if (block == nullptr) {
        std::free(old);
        if (!may_be_refused)
          return "refused: " + std::to_string(size) + " bytes, kind " + std::to_string(kind);
        if (!says_so) return "refused without ENOMEM: " + std::to_string(size) + " bytes";
        continue;
      }
      fill(block, size, 0x53);
      std::free(block);
    }
  return "";
}

constexpr unsigned long kMostMappings = 400'000;  // more take more kernel memory and time than a check should

// With the mappings used up but for `2 * leave`: blocks are freed, asked for, and freed by two threads.
std::string with_full_mappings(int leave) {
  const unsigned long allowed = first_number_in("/proc/sys/vm/max_map_count");
  if (allowed == 0 || allowed > kMostMappings) return "not there: vm.max_map_count is too large to reach";
  // From before: blocks of every size with holes between them, some of which are mappings of their own.
  std::vector<void*> before(std::size(kSizes) * 8);
  for (std::size_t at = 0; at < before.size(); ++at) {
    const std::size_t size = kSizes[at % std::size(kSizes)];
    before[at] = hidden(std::malloc(size));
    EXPECT(before[at] != nullptr);
    fill(before[at], size, static_cast<unsigned char>(at));
  }
  std::atomic<int> turn{0};
  std::string of_thread;
  std::thread other([&] {
    std::free(hidden(std::malloc(100)));
    while (turn == 0) std::this_thread::yield();
    of_thread = ask_for_every_size(true);
    for (std::size_t at = 1; at < before.size(); at += 4) std::free(before[at]);
    turn = 2;
  });
  FullMappings mappings(allowed);
  mappings.leave(leave);
  const bool full = mappings.full();
  std::string wrong = ask_for_every_size(true);
  for (std::size_t at = 0; at < before.size(); at += 4) std::free(before[at]);
  turn = 1;
  while (turn != 2) std::this_thread::yield();
  malloc_trim(0);
  for (std::size_t at = 2; at < before.size(); at += 4) {
    const std::size_t size = kSizes[at % std::size(kSizes)];
    void* block = hidden(std::realloc(before[at], size * 2));
    if (block != nullptr) before[at] = block;
    const auto* bytes = static_cast<unsigned char*>(before[at]);
    if (!holds(bytes, size, static_cast<unsigned char>(at))) wrong = "realloc lost contents";
  }
  Chain chain;
  for (const std::size_t size : {std::size_t{100'000}, std::size_t{20'000}, std::size_t{1000}})
    chain.exhaust(size, chain.total + 16 * kMebibyte);
  if (!chain.free_all()) wrong = "blocks asked for under scarcity lost contents";
  mappings.release();
  other.join();
  EXPECT(full);
  EXPECT(wrong.empty() || (std::puts(wrong.c_str()), false));
  EXPECT(of_thread.empty() || (std::puts(of_thread.c_str()), false));
  for (std::size_t at = 0; at < before.size(); ++at) {
    if (at % 4 < 2) continue;
    EXPECT(holds(before[at], kSizes[at % std::size(kSizes)], static_cast<unsigned char>(at)));
    std::free(before[at]);
  }
  return ask_for_every_size(false);
}

struct Scarcity {
  static constexpr int kThreads = 4;
  std::atomic<int> refused{0};  // threads that were refused memory at last
  std::atomic<int> lost{0};     // threads whose blocks did not hold what they wrote
  std::atomic<int> stuck{0};    // threads that got no MiB after all of them had freed all
};

// Four threads fill a limited address space, free all, wait for each other, and ask for a MiB each.
void run_out_in_four_threads(Scarcity& seen) {
  std::atomic<int> started{0}, ended{0};
  std::atomic<bool> limited{false}, freed{false};
  std::vector<std::thread> threads;
  threads.reserve(Scarcity::kThreads);
  for (int number = 0; number < Scarcity::kThreads; ++number)
    threads.emplace_back([&, number] {
      std::free(hidden(std::malloc(100)));
      ++started;
      while (!limited) std::this_thread::yield();
      Chain chain;
      seen.refused += chain.exhaust(number % 2 == 0 ? 3000 : 50'000, 512 * kMebibyte);
      seen.lost += !chain.free_all();
      ++ended;
      while (!freed) std::this_thread::yield();
      void* again = hidden(std::malloc(kMebibyte));
      seen.stuck += again == nullptr;
      std::free(again);
    });
  while (started < Scarcity::kThreads) std::this_thread::yield();
  const bool set = limit_address_space(128 * kMebibyte);
  limited = true;
  while (ended < Scarcity::kThreads) std::this_thread::yield();
  freed = true;
  for (std::thread& thread : threads) thread.join();
  lift_limit_of_address_space();
  if (!set) seen.refused = -1;
}

// Starts this very check again with another soft limit of the stack, which a process takes up when it is
// started.
std::string again_with_stack(rlim_t bytes) {
  rlimit limit{};
  getrlimit(RLIMIT_STACK, &limit);
  if (limit.rlim_cur == bytes) return "";
  if (limit.rlim_max != RLIM_INFINITY && (bytes == RLIM_INFINITY || bytes > limit.rlim_max))
    return "not there: the hard limit of the stack is lower";
  limit.rlim_cur = bytes;
  if (setrlimit(RLIMIT_STACK, &limit) != 0) return "not there: the limit of the stack cannot be set";
  char line[1024] = {};
  FILE* file = std::fopen("/proc/self/cmdline", "r");
  const std::size_t length = file == nullptr ? 0 : std::fread(line, 1, sizeof line - 1, file);
  const std::size_t name = std::strlen(line) + 1;
  if (name >= length) return "the command line cannot be read";
  std::fclose(file);
  execl("/proc/self/exe", line, line + name, nullptr);
  return "the check cannot be started again";
}

void* ask_on_this_stack(void* wrong) {
  for (int round = 0; round < 3; ++round)
    if (!ask_for_every_size(false).empty()) ++*static_cast<std::atomic<int>*>(wrong);
  return nullptr;
}

// `stack_bytes` 0: as large as the limit says.
std::string ask_in_threads(std::size_t stack_bytes) {
  std::atomic<int> wrong{0};
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  if (stack_bytes != 0) EXPECT(pthread_attr_setstacksize(&attributes, stack_bytes) == 0);
  for (int round = 0; round < 4; ++round) {
    pthread_t threads[8];
    for (pthread_t& thread : threads)
      EXPECT(pthread_create(&thread, &attributes, ask_on_this_stack, &wrong) == 0);
    for (const pthread_t thread : threads) pthread_join(thread, nullptr);
  }
  EXPECT(wrong == 0);
  return "";
}

}  // namespace

MALLOC_CHECK(threads_with_the_least_stack_can_allocate) {
  // The least that POSIX allows, and room for this check's own frames.
  return ask_in_threads(static_cast<std::size_t>(sysconf(_SC_THREAD_STACK_MIN)) + 16 * 1024);
}

MALLOC_CHECK(a_small_limit_of_the_stack_is_lived_with) {
  const std::string wrong = again_with_stack(128 * 1024);
  return wrong.empty() ? ask_in_threads(0) : wrong;
}

MALLOC_CHECK(an_unlimited_stack_is_lived_with) {  // mmap then grows upwards from another place
  const std::string wrong = again_with_stack(RLIM_INFINITY);
  return wrong.empty() ? ask_in_threads(0) : wrong;
}

MALLOC_CHECK(mappings_used_up_are_recovered_from) {
  return with_full_mappings(0);
}

MALLOC_CHECK(mappings_nearly_used_up_are_recovered_from) {
  for (const int leave : {1, 3, 10, 40}) {
    const std::string wrong = with_full_mappings(leave);
    if (!wrong.empty()) return wrong;
  }
  return "";
}

MALLOC_CHECK(four_threads_that_run_out_together_recover) {
  Scarcity scarcity;
  run_out_in_four_threads(scarcity);
  EXPECT(scarcity.refused == Scarcity::kThreads && scarcity.lost == 0);
  return ask_for_every_size(false);
}

MALLOC_CHECK(memory_that_all_threads_freed_serves_each_of_them) {
  Scarcity scarcity;
  run_out_in_four_threads(scarcity);
  EXPECT(scarcity.refused == Scarcity::kThreads && scarcity.stuck == 0);
  return "";
}

MALLOC_CHECK(every_function_refuses_with_enomem_when_memory_is_used_up) {
  std::free(hidden(std::malloc(100)));
  void* old = hidden(std::malloc(1000));
  fill(old, 1000, 0x29);
  EXPECT(limit_address_space(32 * kMebibyte));
  const std::size_t many = 64 * kMebibyte;
  void* untouched = nullptr;
  std::string wrong;
  const auto expect = [&wrong](bool so, const char* what) { wrong += so ? "" : std::string(" ") + what; };
  expect((errno = 0, hidden(std::malloc(many)) == nullptr) && errno == ENOMEM, "malloc");
  expect((errno = 0, hidden(std::calloc(many, 1)) == nullptr) && errno == ENOMEM, "calloc");
  expect((errno = 0, hidden(std::realloc(old, many)) == nullptr) && errno == ENOMEM, "realloc");
  expect((errno = 0, hidden(std::aligned_alloc(64, many)) == nullptr) && errno == ENOMEM, "aligned_alloc");
  expect((errno = 0, hidden(memalign(64, many)) == nullptr) && errno == ENOMEM, "memalign");
  expect((errno = 0, hidden(valloc(many)) == nullptr) && errno == ENOMEM, "valloc");
  expect(posix_memalign(&untouched, 64, many) == ENOMEM, "posix_memalign");
  expect(hidden(::operator new(many, std::nothrow)) == nullptr, "operator_new_nothrow");
  expect(holds(old, 1000, 0x29), "contents");
  lift_limit_of_address_space();
  std::free(old);
  if (!wrong.empty()) return "not refused with ENOMEM:" + wrong;
  return ask_for_every_size(false);
}
