// The process around malloc: threads, fork, limits, foreign sbrk, calls before main and after it.
#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <random>
#include <thread>
#include <vector>

#include "allocators/tests/check.h"

using namespace heapmark::conformance;

namespace {

// Asked for before any constructor of the C++ library has run, freed after main.
struct Early {
  void* block;
  Early() : block(std::malloc(1000)) { fill(block, 1000, 0x42); }
  ~Early() {
    if (!holds(block, 1000, 0x42)) _exit(1);
    std::free(block);
    std::free(std::malloc(5000));
  }
};
__attribute__((init_priority(101))) Early early;

struct Block {
  unsigned char* memory = nullptr;
  std::size_t bytes = 0;
  unsigned char tag = 0;
};

// Random requests and frees; every block holds its tag until it is freed.
std::string random_steps(std::uint64_t seed, int steps, std::size_t most) {
  std::mt19937_64 random(seed);
  std::vector<Block> blocks(500);
  for (int step = 0; step < steps; ++step) {
    Block& block = blocks[random() % blocks.size()];
    if (block.memory != nullptr && !holds(block.memory, block.bytes, block.tag))
      return "contents changed; seed " + std::to_string(seed) + ", step " + std::to_string(step);
    const std::size_t bytes = (std::size_t{1} << random() % 17) + random() % 100;
    if (bytes > most) continue;
    const auto dice = random() % 8;
    if (block.memory == nullptr || dice < 3) {
      std::free(block.memory);
      block.memory =
          static_cast<unsigned char*>(dice == 0 ? std::aligned_alloc(256, bytes) : std::malloc(bytes));
    } else if (dice < 6) {
      const std::size_t kept = block.bytes < bytes ? block.bytes : bytes;
      block.memory = static_cast<unsigned char*>(std::realloc(block.memory, bytes));
      if (!holds(block.memory, kept, block.tag)) return "realloc lost contents; seed " + std::to_string(seed);
    } else {
      std::free(block.memory);
      block.memory = nullptr;
      continue;
    }
    if (block.memory == nullptr) return "a request was refused";
    block.bytes = bytes;
    block.tag = static_cast<unsigned char>(random());
    fill(block.memory, block.bytes, block.tag);
  }
  for (const Block& block : blocks) std::free(block.memory);
  return "";
}

bool exits_well(pid_t child) {
  int status = 0;
  return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// Fills memory until a request is refused, frees all, and asks for a large block again.
std::string refused_then_recovered(int resource, std::size_t budget) {
  std::free(std::malloc(1000));
  std::vector<void*> blocks;
  blocks.reserve(1 << 20);
  rlimit limit{};
  getrlimit(resource, &limit);
  char text[64];
  const char* line = resource == RLIMIT_AS ? "VmSize" : "VmData";
  std::snprintf(text, sizeof text, "awk '/%s/ {print $2}' /proc/%d/status", line, getpid());
  FILE* pipe = popen(text, "r");
  unsigned long kib = 0;
  if (pipe == nullptr || fscanf(pipe, "%lu", &kib) != 1) return "the size of the process cannot be read";
  pclose(pipe);
  limit.rlim_cur = kib * 1024 + budget;
  if (setrlimit(resource, &limit) != 0) return "the limit cannot be set";
  std::size_t had = 0;
  errno = 0;
  for (const std::size_t size : {std::size_t{60'000}, std::size_t{3000}, std::size_t{200'000}}) {
    void* block = nullptr;
    while ((block = hidden(std::malloc(size))) != nullptr && had < 4 * budget) {
      fill(block, size, 1);
      blocks.push_back(block);
      had += size;
    }
    EXPECT(block == nullptr && errno == ENOMEM);
  }
  EXPECT(had > budget / 2);
  for (void* block : blocks) std::free(block);
  void* again = hidden(std::malloc(budget / 4));
  EXPECT(again != nullptr);
  std::free(again);
  return "";
}

}  // namespace

MALLOC_CHECK(random_steps_never_overlap) {
  return random_steps(1, 60'000, SIZE_MAX);
}

MALLOC_CHECK(random_steps_of_eight_threads_never_overlap) {
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int number = 0; number < 8; ++number)
    threads.emplace_back([&, number] { wrong += !random_steps(number + 1, 15'000, 70'000).empty(); });
  for (std::thread& thread : threads) thread.join();
  EXPECT(wrong == 0);
  return "";
}

MALLOC_CHECK(blocks_of_a_thread_that_ended_can_be_freed) {
  for (int round = 0; round < 50; ++round) {
    std::vector<void*> blocks(200);
    std::thread([&] {
      for (std::size_t at = 0; at < blocks.size(); ++at) {
        blocks[at] = std::malloc(at * 37);
        fill(blocks[at], at * 37, static_cast<unsigned char>(at));
      }
    }).join();
    for (std::size_t at = 0; at < blocks.size(); ++at) {
      EXPECT(holds(blocks[at], at * 37, static_cast<unsigned char>(at)));
      std::free(blocks[at]);
    }
  }
  return "";
}

MALLOC_CHECK(two_thousand_threads_come_and_go) {
  for (int round = 0; round < 250; ++round) {
    std::vector<std::thread> threads;
    for (int at = 0; at < 8; ++at)
      threads.emplace_back([] {
        for (int size = 1; size < 40'000; size *= 3)
          std::free(hidden(std::malloc(static_cast<std::size_t>(size))));
      });
    for (std::thread& thread : threads) thread.join();
  }
  return "";
}

MALLOC_CHECK(the_child_of_a_threaded_parent_goes_on_allocating) {
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (int at = 0; at < 3; ++at)
    threads.emplace_back([&, at] {
      for (std::size_t size = 1; !stop; size = size * 7 % 60'000 + 1 + static_cast<std::size_t>(at))
        std::free(hidden(std::malloc(size)));
    });
  std::string wrong;
  for (int round = 0; round < 30 && wrong.empty(); ++round) {
    const pid_t child = fork();
    if (child == 0) {
      alarm(20);
      _exit(random_steps(static_cast<std::uint64_t>(round), 3000, 100'000).empty() ? 0 : 1);
    }
    if (!exits_well(child)) wrong = "a child could not allocate, round " + std::to_string(round);
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  return wrong;
}

MALLOC_CHECK(foreign_sbrk_is_tolerated) {
  std::vector<void*> blocks;
  for (int round = 0; round < 20; ++round) {
    for (int at = 0; at < 20; ++at) {
      blocks.push_back(std::malloc(30'000));
      fill(blocks.back(), 30'000, 0x21);
    }
    char* mine = static_cast<char*>(sbrk(5000 + round));
    EXPECT(mine != reinterpret_cast<char*>(-1));
    fill(mine, 5000, 0x63);
    for (std::size_t at = 0; at < blocks.size(); at += 2) {
      std::free(blocks[at]);
      blocks[at] = std::malloc(40'000);
      fill(blocks[at], 30'000, 0x21);
    }
    EXPECT(holds(mine, 5000, 0x63));
    for (void* block : blocks) EXPECT(holds(block, 30'000, 0x21));
  }
  for (void* block : blocks) std::free(block);
  return random_steps(2, 5000, SIZE_MAX);
}

MALLOC_CHECK(a_limit_of_address_space_refuses_and_is_recovered_from) {
  return refused_then_recovered(RLIMIT_AS, 64 << 20);
}

MALLOC_CHECK(a_limit_of_data_refuses_and_is_recovered_from) {
  return refused_then_recovered(RLIMIT_DATA, 64 << 20);
}

MALLOC_CHECK(blocks_from_before_main_are_whole) {
  EXPECT(holds(early.block, 1000, 0x42));
  return "";
}
