// How much more memory is resident than was asked for:
//     footprint_child sizes MOST_PERMILLE      heaps of 8 MiB, each of objects of one size, 64 bytes to 64
//     KiB footprint_child threads COUNT            that many live threads with 32 small blocks each
// The first exits 1 where a heap takes more than MOST_PERMILLE thousandths of its objects (sizes rounded up
// to 16) and names those sizes; the second prints the resident bytes above the start, for a comparison.
// 2: bad arguments, 3: no figures.
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "allocators/tests/process_figures.h"

namespace process = heapmark::process;

namespace {

constexpr std::size_t kHeap = std::size_t{8} << 20;
constexpr std::size_t kLeast = 64, kFine = 1024, kMost = 64 * 1024;

[[noreturn]] void refused(const char* what) {
  std::fprintf(stderr, "footprint_child: %s was refused\n", what);
  std::_Exit(3);
}

// Resident bytes over asked ones, in thousandths. In a process of its own, so that each heap begins empty.
unsigned long permille_of_heap(std::size_t bytes) {
  const std::size_t rounded = (bytes + 15) / 16 * 16, count = kHeap / rounded;
  const std::size_t before = process::resident_bytes();
  for (std::size_t at = 0; at < count; ++at) {
    void* object = std::malloc(bytes);
    if (object == nullptr) refused("an object");
    std::memset(object, 1, bytes);
    asm volatile("" : : "r"(object) : "memory");
  }
  const std::size_t resident = process::resident_bytes() - before;
  return resident * 1000 / (count * rounded);
}

// By a pipe: a child's exit code has too few bits.
unsigned long permille_in_child(std::size_t bytes) {
  int ends[2];
  if (pipe(ends) != 0) refused("a pipe");
  const pid_t child = fork();
  if (child < 0) refused("a process");
  if (child == 0) {
    const unsigned long permille = permille_of_heap(bytes);
    _exit(write(ends[1], &permille, sizeof permille) == sizeof permille ? 0 : 3);
  }
  close(ends[1]);
  unsigned long permille = 0;
  const bool had = read(ends[0], &permille, sizeof permille) == sizeof permille;
  close(ends[0]);
  int status = 0;
  if (waitpid(child, &status, 0) != child || status != 0 || !had) refused("the figure of a heap");
  return permille;
}

int heaps_of_one_size(unsigned long most) {
  unsigned long worst = 0;
  std::size_t worst_bytes = 0, too_much = 0, tried = 0;
  const auto measure = [&](std::size_t bytes) {
    const unsigned long permille = permille_in_child(bytes);
    ++tried;
    if (permille > worst) {
      worst = permille;
      worst_bytes = bytes;
    }
    if (permille <= most) return;
    ++too_much;
    std::printf("%zu bytes: %lu\n", bytes, permille);
  };
  // In every class of 16 bytes two sizes, not only multiples of eight; from there on sixteen steps a
  // doubling, on both sides of each edge.
  measure(kLeast);
  for (std::size_t bytes = kLeast + 8; bytes <= kFine; bytes += 8) measure(bytes - bytes / 8 % 7);
  for (std::size_t power = kFine; power < kMost; power *= 2)
    for (std::size_t step = 0; step < 16; ++step)
      for (const std::size_t beside : {0, 1}) measure(power + power / 16 * step + beside);
  measure(kMost);
  std::printf("%zu of %zu sizes take more than %lu thousandths; the worst, %zu bytes, takes %lu\n", too_much,
              tried, most, worst_bytes, worst);
  return too_much == 0 ? 0 : 1;
}

pthread_barrier_t g_barrier;

void* hold_blocks(void* number) {
  constexpr std::size_t kBlocks = 32, kLargest = 2048;
  std::uint64_t random = 0x9E3779B97F4A7C15 * (reinterpret_cast<std::uintptr_t>(number) + 1);
  for (std::size_t bytes = 16; bytes <= kLargest; bytes += 16) {
    void* block = std::malloc(bytes);
    if (block == nullptr) refused("a block");
    std::memset(block, 1, bytes);
    std::free(block);
  }
  void* blocks[kBlocks];
  for (void*& block : blocks) {
    random = random * 6364136223846793005 + 1442695040888963407;  // Knuth's MMIX
    const std::size_t bytes = 16 + (random >> 33) % (kLargest - 15);
    if ((block = std::malloc(bytes)) == nullptr) refused("a block");
    std::memset(block, 1, bytes);
  }
  pthread_barrier_wait(&g_barrier);
  pthread_barrier_wait(&g_barrier);  // the figure has been read
  for (void* block : blocks) std::free(block);
  return nullptr;
}

int threads_with_blocks(std::size_t count) {
  constexpr std::size_t kStack = 64 * 1024;
  pthread_attr_t attributes;
  if (pthread_barrier_init(&g_barrier, nullptr, static_cast<unsigned>(count) + 1) != 0 ||
      pthread_attr_init(&attributes) != 0 || pthread_attr_setstacksize(&attributes, kStack) != 0)
    refused("a barrier");
  void* table = mmap(nullptr, count * sizeof(pthread_t), PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (table == MAP_FAILED) refused("the table of threads");
  auto* threads = static_cast<pthread_t*>(table);
  const std::size_t before = process::resident_bytes();
  for (std::size_t at = 0; at < count; ++at)
    if (pthread_create(&threads[at], &attributes, hold_blocks, reinterpret_cast<void*>(at)) != 0)
      refused("a thread");
  pthread_barrier_wait(&g_barrier);
  const std::size_t resident = process::resident_bytes() - before;
  pthread_barrier_wait(&g_barrier);
  for (std::size_t at = 0; at < count; ++at) pthread_join(threads[at], nullptr);
  std::printf("%zu\n", resident);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const unsigned long number = argc == 3 ? std::strtoul(argv[2], nullptr, 10) : 0;
  if (number != 0 && std::string_view(argv[1]) == "sizes") return heaps_of_one_size(number);
  if (number != 0 && std::string_view(argv[1]) == "threads") return threads_with_blocks(number);
  std::fputs("footprint_child sizes MOST_PERMILLE | threads COUNT\n", stderr);
  return 2;
}
