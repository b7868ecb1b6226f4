// A program that does random operations and lets the model judge each:
//     model_child SEED OPERATIONS THREADS [sbrk]
// It decides which operation comes when; one seed is one run where THREADS is 1 (with more, the scheduler has
// a say). OPERATIONS are those of each thread. Exits 0 and says whether there were figures of brkmmap to
// check, or exits 1 with one line that names seed, thread and operation.
#include <malloc.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <mutex>
#include <string_view>
#include <thread>

#include "allocators/tests/model/play.h"

using namespace heapmark::model;

namespace {

constexpr std::size_t kSlots = 400, kMostThreads = 16, kMostForeign = 64, kBoxes = 64;
constexpr std::size_t kMostBytes = std::size_t{4} << 20;
constexpr std::uint64_t kPhase = 1500;  // operations between changes of mood
constexpr std::uint64_t kCheckEvery = 1000;
constexpr int kRounds = 4;  // threads end and others go on with their blocks
constexpr std::size_t kForeignBytes = 4096;

// What malloc is asked by the start of threads and by stdio, not by the model: 1 KiB or so a thread.
constexpr std::uint64_t kOutsideThreads = 256 * 1024;

std::uint64_t the_seed = 0;
thread_local std::uint64_t operation = 0;
thread_local std::size_t thread_number = 0;

// By write(2): what is wrong may be the malloc that printf would call.
void say(const char* what) {
  char line[300];
  const int length = std::snprintf(line, sizeof line, "seed %llu, thread %zu, operation %llu: %s\n",
                                   static_cast<unsigned long long>(the_seed), thread_number,
                                   static_cast<unsigned long long>(operation), what);
  if (::write(STDOUT_FILENO, line, static_cast<std::size_t>(length)) != length) _exit(3);
}

[[noreturn]] void fail(Wrong what, const Figures* figures = nullptr) {
  static std::atomic_flag said;
  while (said.test_and_set()) ::pause();  // the first violation speaks for all; it ends the process
  say(what);
  if (figures != nullptr) figures->print();
  _exit(1);
}

// A crash of the allocator names the operation too; then it ends as it would have.
void on_crash(int signal) {
  say(signal == SIGABRT ? "aborted" : "crashed");
  ::signal(signal, SIG_DFL);
  ::raise(signal);
}

// Blocks on their way to the thread that is to free them.
class Mailbox {
 public:
  bool put(const Block& block) {
    const std::lock_guard lock(mutex_);
    if (count_ == kBoxes) return false;
    blocks_[count_++] = block;
    return true;
  }
  bool take(Block& block) {
    const std::lock_guard lock(mutex_);
    if (count_ == 0) return false;
    block = blocks_[--count_];
    return true;
  }

 private:
  std::mutex mutex_;
  Block blocks_[kBoxes];
  std::size_t count_ = 0;
};

struct Worker {
  Random random{0};
  std::uint64_t done = 0;
  std::uint64_t full_percent = 50;  // of the slots, where this mood tends to
  std::size_t most_bytes = kMostBytes;
  Block slots[kSlots];
  Mailbox mailbox;
};

Worker workers[kMostThreads];
std::size_t threads = 1;

// Memory that other code took from the break: the allocator may neither hand it out nor lower the break below
// it. It stands in the model like a block, and is never given back.
void foreign_sbrk(Model& model, Random& random) {
  static std::size_t taken = 0;
  if (taken == kMostForeign) return;
  void* memory = ::sbrk(kForeignBytes);
  if (memory == reinterpret_cast<void*>(-1)) return;
  const Block block{
      static_cast<unsigned char*>(memory), kForeignBytes, kForeignBytes, 1, random.next(), true};
  if (const Wrong wrong = model.add(block)) fail(wrong);
  stamp(block);
  ++taken;
}

// How full and how large changes at times: memory must be given back, and asked for again.
void change_mood(Worker& worker) {
  static constexpr std::size_t kMost[] = {64, 1024, 16 << 10, 128 << 10, kMostBytes, kMostBytes};
  worker.full_percent = 10 + worker.random.below(85);
  worker.most_bytes = kMost[worker.random.below(std::size(kMost))];
}

Wrong fill(Player& player, Worker& worker, Block& slot) {
  Random& random = worker.random;
  const std::size_t bytes = random.below(500) == 0 ? 0 : random.log_uniform(worker.most_bytes);
  const std::uint64_t seed = random.next();
  switch (random.below(16)) {
    case 0:
    case 1:
      return player.allocate_aligned(slot, std::size_t{1} << random.below(17), bytes, true, seed);
    case 2:
      return player.allocate_aligned(slot, std::size_t{1} << random.below(17), bytes, false, seed);
    case 3:
    case 4:
      return player.allocate_zeroed(slot, 1, bytes, seed);
    case 5:
      return player.allocate_zeroed(slot, bytes / 24 + 1, 24, seed);
    case 6:
      return player.reallocate(slot, bytes, seed);
    default:
      return player.allocate(slot, bytes, seed);
  }
}

Wrong change(Player& player, Worker& worker, Block& slot) {
  Random& random = worker.random;
  switch (random.below(8)) {
    case 0:
      return player.reallocate(slot, random.log_uniform(worker.most_bytes), random.next());
    case 1:
      return player.reallocate(slot, slot.bytes + random.below(slot.bytes / 4 + 40), random.next());
    case 2:
      return player.reallocate(slot, random.below(slot.bytes + 1), random.next());
    case 3: {
      Mailbox& other = workers[random.below(threads)].mailbox;
      if (other.put(slot)) slot = {};
      return nullptr;
    }
    case 4:
      return player.look_at(slot);
    default:
      return player.release(slot);
  }
}

Wrong step(Player& player, Worker& worker) {
  Random& random = worker.random;
  if (random.below(4000) == 0) malloc_trim(random.below(2) * 65536);
  Block gift;
  if (random.below(8) == 0 && worker.mailbox.take(gift)) return player.release(gift);
  Block& slot = worker.slots[random.below(kSlots)];
  if (slot.memory == nullptr)
    return random.below(100) < worker.full_percent ? fill(player, worker, slot) : nullptr;
  if (random.below(100) >= worker.full_percent) return player.release(slot);
  return change(player, worker, slot);
}

void work(Model& model, const Figures& figures, std::size_t number, std::uint64_t operations,
          bool with_sbrk) {
  Worker& worker = workers[number];
  thread_number = number;
  Player player(model);
  for (const std::uint64_t until = worker.done + operations; worker.done < until; ++worker.done) {
    operation = worker.done;
    if (operation % kPhase == 0) change_mood(worker);
    if (const Wrong wrong = step(player, worker)) fail(wrong);
    if (threads > 1) continue;
    if (with_sbrk && worker.random.below(300) == 0) foreign_sbrk(model, worker.random);
    if (operation % kCheckEvery == 0)
      if (const Wrong wrong = figures.check(0)) fail(wrong, &figures);
  }
}

// Threads that end while their blocks live on; after each round the figures must agree, for all are joined.
// sbrk is not safe between threads (glibc's keeps the break in a variable without a lock): with several it is
// called at these quiet moments only.
void play(Model& model, const Figures& figures, std::uint64_t operations, bool with_sbrk) {
  if (threads == 1) return work(model, figures, 0, operations, with_sbrk);
  for (int round = 0; round < kRounds; ++round) {
    std::thread running[kMostThreads];
    for (std::size_t at = 0; at < threads; ++at)
      running[at] = std::thread([&, at] { work(model, figures, at, operations / kRounds, with_sbrk); });
    for (std::size_t at = 0; at < threads; ++at) running[at].join();
    operation = workers[0].done;
    if (const Wrong wrong = figures.check(kOutsideThreads)) fail(wrong, &figures);
    if (const Wrong wrong = model.check_all()) fail(wrong);
    if (with_sbrk)
      for (int at = 0; at < 3; ++at) foreign_sbrk(model, workers[0].random);
  }
}

// The main thread frees all that is left, most of it got by threads that have ended.
void free_all(Model& model) {
  Player player(model);
  for (std::size_t at = 0; at < threads; ++at) {
    Block gift;
    while (workers[at].mailbox.take(gift))
      if (const Wrong wrong = player.release(gift)) fail(wrong);
    for (Block& slot : workers[at].slots)
      if (slot.memory != nullptr)
        if (const Wrong wrong = player.release(slot)) fail(wrong);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4 || argc > 5) {
    std::fputs("model_child SEED OPERATIONS THREADS [sbrk]\n", stderr);
    return 2;
  }
  the_seed = std::strtoull(argv[1], nullptr, 10);
  const std::uint64_t operations = std::strtoull(argv[2], nullptr, 10);
  threads = std::strtoull(argv[3], nullptr, 10);
  const bool with_sbrk = argc == 5 && std::string_view(argv[4]) == "sbrk";
  if (threads < 1 || threads > kMostThreads || (argc == 5 && !with_sbrk)) return 2;
  for (const int signal : {SIGSEGV, SIGBUS, SIGABRT, SIGILL}) ::signal(signal, on_crash);

  static Model model;
  Random seeds(the_seed);
  for (std::size_t at = 0; at < threads; ++at) workers[at].random = Random(seeds.next());
  const Figures figures(model);
  if (const Wrong wrong = figures.check(0)) fail(wrong, &figures);
  play(model, figures, operations, with_sbrk);
  if (const Wrong wrong = model.check_all()) fail(wrong);  // what is left, and what foreign code took by sbrk
  free_all(model);
  if (const Wrong wrong = figures.check(threads == 1 ? 0 : kOutsideThreads)) fail(wrong, &figures);
  if (const Wrong wrong = model.check_all()) fail(wrong);
  std::puts(figures.are_there() ? "with brkmmap_stats" : "without brkmmap_stats");
  return 0;
}
