// brkmmap's own figures while a program works: the equation at quiet moments, and what is held after
// everything is freed. Prints what is not so, and exits 1; exits 2 where brkmmap is not the malloc.
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

#include "allocators/brkmmap/brkmmap.h"

using Figures = struct brkmmap_stats;
extern "C" [[gnu::weak]] void brkmmap_stats(Figures* out);

static Figures figures() {
  Figures now{};
  brkmmap_stats(&now);
  return now;
}

static long resident_bytes() {
  char text[128] = {};
  const int fd = open("/proc/self/statm", O_RDONLY);
  long size = 0, resident = 0;
  if (read(fd, text, sizeof text - 1) <= 0 || std::sscanf(text, "%ld %ld", &size, &resident) != 2)
    std::abort();
  close(fd);
  return resident * sysconf(_SC_PAGESIZE);
}

static bool balanced(const char* when) {
  const Figures now = figures();
  const unsigned long long sum = now.live_bytes + now.cached_bytes + now.free_bytes + now.metadata_bytes;
  if (sum == now.mapped_bytes) return true;
  std::printf("%s: live + cached + free + metadata is %llu, mapped is %llu\n", when, sum,
              static_cast<unsigned long long>(now.mapped_bytes));
  return false;
}

static void work(unsigned seed, std::vector<void*>& kept) {
  std::mt19937 random(seed);
  for (int step = 0; step < 20'000; ++step) {
    void*& block = kept[random() % kept.size()];
    std::free(block);
    const std::size_t bytes = (std::size_t{1} << random() % 18) + random() % 50;
    block = std::malloc(bytes);
    std::memset(block, 1, bytes);
  }
}

// What a thread's key holds is freed when the thread ends, after brkmmap's own key if that is the older one.
static pthread_key_t key;
static void free_blocks(void* blocks) {
  for (int at = 0; at < 10; ++at) std::free(static_cast<void**>(blocks)[at]);
  std::free(blocks);
}
static void leave_blocks_to_the_key() {
  void** blocks = static_cast<void**>(std::malloc(10 * sizeof(void*)));
  for (int at = 0; at < 10; ++at) blocks[at] = std::malloc(1000);
  pthread_setspecific(key, blocks);
}

static bool ended_threads_leave_nothing() {
  if (pthread_key_create(&key, free_blocks) != 0) std::abort();
  std::thread(leave_blocks_to_the_key).join();
  const std::uint64_t before = figures().live_bytes;
  for (int number = 0; number < 200; ++number) std::thread(leave_blocks_to_the_key).join();
  const std::uint64_t after = figures().live_bytes;
  if (after <= before + 20'000) return true;
  std::printf("200 threads that ended left %llu bytes\n", static_cast<unsigned long long>(after - before));
  return false;
}

int main() {
  if (brkmmap_stats == nullptr) return 2;
  std::vector<std::vector<void*>> kept(4, std::vector<void*>(600));
  const Figures before = figures();
  const long resident_before = resident_bytes();
  bool fine = balanced("at the start");
  fine = ended_threads_leave_nothing() && fine;
  for (unsigned round = 0; round < 3; ++round) {
    std::vector<std::thread> threads;
    for (unsigned at = 0; at < 4; ++at) threads.emplace_back(work, round * 4 + at, std::ref(kept[at]));
    for (std::thread& thread : threads) thread.join();
    fine = balanced("after a round of four threads") && fine;
  }
  for (std::vector<void*>& blocks : kept)
    for (void*& block : blocks) {
      std::free(block);
      block = nullptr;
    }
  fine = balanced("after everything is freed") && fine;
  const Figures after = figures();
  // Some 35 MiB lived. The free ranges between a few cached objects may keep their addresses, not their
  // pages: 7 to 26 MiB on a busy machine, where those objects happen to lie being the threads' doing.
  const auto held = static_cast<long>(after.mapped_bytes - before.mapped_bytes);
  if (held > 32 << 20) fine = std::printf("%ld bytes of addresses are still held\n", held) < 0;
  const long resident = resident_bytes() - resident_before;
  if (resident > 3 << 20) fine = std::printf("%ld bytes are still resident\n", resident) < 0;
  if (after.live_bytes > before.live_bytes + 65536) fine = std::puts("freed blocks count as live") < 0;
  return fine ? 0 : 1;
}
