// What stays of memory that a program has freed, whatever came before:
//     returns_child pages|mixed|aligned|grown|tiles_ended|tiles_alive ROUNDS
//     returns_child faults_of_growth ROUNDS MOST
// It fills and frees ROUNDS times. At once at most 8 MiB or a tenth of the peak may stay, whichever is more;
// after a second of rest and some small calls, 2 MiB. Figures are anonymous resident bytes above the start.
// Exits 0 where that holds, 1 where not, and prints the figures; 2: bad arguments, 3: no figures.
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "allocators/tests/process_figures.h"

namespace process = heapmark::process;

namespace {

constexpr std::size_t kKibibyte = 1024, kMebibyte = kKibibyte * 1024;
constexpr std::size_t kMostBlocks = 1 << 16;
constexpr std::size_t kAtOnce = 8 * kMebibyte, kLater = 2 * kMebibyte;
constexpr int kThreads = 8;

// Mapped and written before the start: the table is no part of what is measured.
void** g_blocks;
pthread_barrier_t g_barrier;
std::size_t g_start = 0, g_peak = 0;

std::size_t above_start() {
  const std::size_t now = process::resident_bytes();
  return now > g_start ? now - g_start : 0;
}

void touch(void* block, std::size_t bytes) {
  if (block == nullptr) {
    std::puts("a request was refused");
    std::fflush(stdout);
    _exit(1);
  }
  auto* at = static_cast<volatile unsigned char*>(block);
  for (std::size_t byte = 0; byte < bytes; byte += 4096) at[byte] = 1;
  at[bytes - 1] = 1;
}

// xorshift64 (Marsaglia 2003).
std::size_t next_random(std::uint64_t& state) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

void small_calls() {
  for (int at = 0; at < 1000; ++at) {
    void* block = std::malloc(100);
    touch(block, 100);
    std::free(block);
  }
}

enum class Kind { kPages, kMixed, kAligned };

std::size_t total_of(Kind kind) {
  return kind == Kind::kMixed ? 300 * kMebibyte : 80 * kMebibyte;
}

void fill_and_free(Kind kind, std::uint64_t& random) {
  std::size_t count = 0;
  for (std::size_t total = 0; total < total_of(kind) && count < kMostBlocks; ++count) {
    std::size_t bytes = 4 * kKibibyte;
    if (kind == Kind::kMixed) bytes = kKibibyte + next_random(random) % (127 * kKibibyte);
    void* block = nullptr;
    if (kind == Kind::kAligned) {
      bytes = (4 * kKibibyte) << next_random(random) % 5;
      if (posix_memalign(&block, 4096, bytes) != 0) block = nullptr;
    } else {
      block = std::malloc(bytes);
    }
    touch(block, bytes);
    g_blocks[count] = block;
    total += bytes;
  }
  g_peak = std::max(g_peak, above_start());
  for (std::size_t at = 0; at < count; ++at) std::free(g_blocks[at]);
}

void grow_and_free() {
  constexpr std::size_t kMost = 4 * kMebibyte;
  unsigned char* buffer = nullptr;
  std::size_t held = 0;
  for (std::size_t bytes = 64; bytes <= kMost; held = bytes, bytes *= 2) {
    auto* grown = static_cast<unsigned char*>(std::realloc(buffer, bytes));
    touch(grown, bytes);
    std::memset(grown + held, 1, bytes - held);
    buffer = grown;
  }
  g_peak = std::max(g_peak, above_start());
  std::free(buffer);
}

struct Tiles {
  int number = 0;
  int rounds = 0;
  bool stays = false;
};

// 16 MiB of tiles a thread. The barriers: all are full, all are empty, and where the threads stay, before and
// after the small calls.
void* fill_tiles(void* argument) {
  const Tiles& tiles = *static_cast<const Tiles*>(argument);
  std::uint64_t random = 0x9E3779B97F4A7C15 * (static_cast<std::uint64_t>(tiles.number) + 1);
  void* blocks[256];
  for (int round = 0; round < tiles.rounds; ++round) {
    std::size_t count = 0;
    for (std::size_t total = 0; total < 16 * kMebibyte; ++count) {
      const std::size_t bytes = 64 * kKibibyte + next_random(random) % (kMebibyte - 64 * kKibibyte);
      blocks[count] = std::malloc(bytes);
      touch(blocks[count], bytes);
      total += bytes;
    }
    if (round == tiles.rounds - 1) {
      pthread_barrier_wait(&g_barrier);
      pthread_barrier_wait(&g_barrier);  // the peak has been read
    }
    for (std::size_t at = 0; at < count; ++at) std::free(blocks[at]);
  }
  if (!tiles.stays) return nullptr;
  pthread_barrier_wait(&g_barrier);
  pthread_barrier_wait(&g_barrier);
  small_calls();
  pthread_barrier_wait(&g_barrier);
  pthread_barrier_wait(&g_barrier);
  return nullptr;
}

bool is_within(const char* when, std::size_t stays, std::size_t most) {
  std::printf("%s %.1f MiB stay, %.1f may; the peak was %.1f\n", when, static_cast<double>(stays) / kMebibyte,
              static_cast<double>(most) / kMebibyte, static_cast<double>(g_peak) / kMebibyte);
  return stays <= most;
}

bool is_within_at_once() {
  return is_within("at once", above_start(), std::max(kAtOnce, g_peak / 10));
}

void rest() {
  usleep(1'100'000);
}

bool is_within_later() {
  return is_within("after a second", above_start(), kLater);
}

bool play_tiles(int rounds, bool stays) {
  pthread_t threads[kThreads];
  Tiles tiles[kThreads];
  for (int at = 0; at < kThreads; ++at) {
    tiles[at] = {at, rounds, stays};
    if (pthread_create(&threads[at], nullptr, fill_tiles, &tiles[at]) != 0) return false;
  }
  pthread_barrier_wait(&g_barrier);
  g_peak = above_start();
  pthread_barrier_wait(&g_barrier);
  const auto join = [&threads] {
    for (const pthread_t thread : threads) pthread_join(thread, nullptr);
  };
  if (!stays) {
    join();
    const bool at_once = is_within_at_once();
    rest();
    small_calls();
    return is_within_later() && at_once;
  }
  pthread_barrier_wait(&g_barrier);
  const bool at_once = is_within_at_once();
  rest();
  pthread_barrier_wait(&g_barrier);
  pthread_barrier_wait(&g_barrier);
  const bool later = is_within_later();
  pthread_barrier_wait(&g_barrier);
  join();
  return at_once && later;
}

int faults_of_growth(int rounds, std::uint64_t most) {
  const std::uint64_t before = process::minor_faults();
  for (int round = 0; round < rounds; ++round) grow_and_free();
  const std::uint64_t faults = process::minor_faults() - before;
  std::printf("%llu page faults, %llu may be\n", static_cast<unsigned long long>(faults),
              static_cast<unsigned long long>(most));
  return faults <= most ? 0 : 1;
}

// False also where the scenario is unknown: `*known` tells.
bool play(std::string_view scenario, int rounds, bool* known) {
  std::uint64_t random = 88172645463325252;
  if (scenario == "tiles_ended") return play_tiles(rounds, false);
  if (scenario == "tiles_alive") return play_tiles(rounds, true);
  for (int round = 0; round < rounds; ++round) {
    if (scenario == "pages") {
      fill_and_free(Kind::kPages, random);
    } else if (scenario == "mixed") {
      fill_and_free(Kind::kMixed, random);
    } else if (scenario == "aligned") {
      fill_and_free(Kind::kAligned, random);
    } else if (scenario == "grown") {
      grow_and_free();
    } else {
      *known = false;
      return false;
    }
  }
  const bool at_once = is_within_at_once();
  rest();
  small_calls();
  return is_within_later() && at_once;
}

}  // namespace

int main(int argc, char** argv) {
  constexpr std::size_t kTable = kMostBlocks * sizeof(void*);
  void* table =
      mmap(nullptr, kTable, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (table == MAP_FAILED || pthread_barrier_init(&g_barrier, nullptr, kThreads + 1) != 0) return 3;
  g_blocks = static_cast<void**>(table);
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 0;
  bool known = rounds > 0;
  std::puts("starts");  // stdio has its buffer before the start
  small_calls();
  g_start = process::resident_bytes();
  if (known && argc == 4 && std::string_view(argv[1]) == "faults_of_growth")
    return faults_of_growth(rounds, std::strtoull(argv[3], nullptr, 10));
  if (known && argc == 3 && play(argv[1], rounds, &known)) return 0;
  if (known && argc == 3) return 1;
  std::fputs(
      "returns_child pages|mixed|aligned|grown|tiles_ended|tiles_alive ROUNDS\n"
      "returns_child faults_of_growth ROUNDS MOST\n",
      stderr);
  return 2;
}
