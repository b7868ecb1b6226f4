// Random operations of every entry point while limits of the process come and go; the model judges each
// answer, Scarcity each refusal. Runs on the malloc that is preloaded.
//     heapmark-limits-fuzz [--seconds N] [--seed N] [--once] [--cgroup DIRECTORY]
// Each seed is a process of its own, the next one the next; one in four has three threads, where any refusal
// counts as right. --cgroup: a memory cgroup, below which each run gets a group of its own with kCgroupBytes.
// Exits 0 where all were clean, 1 with a line that names the seed where one was not, 2 on bad arguments.
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <iterator>
#include <string_view>
#include <thread>

#include "allocators/tests/model/play.h"
#include "allocators/tests/model/scarcity.h"
#include "allocators/tests/process_figures.h"

using namespace heapmark::model;

namespace {

constexpr std::size_t kSlots = 3000, kThreads = 3;
constexpr std::size_t kMostBytes = std::size_t{6} << 20, kMostLive = std::size_t{48} << 20;
constexpr std::uint64_t kOperations = 30'000;
constexpr std::uint64_t kPhase = 2500;  // operations with one size of block and one fullness
// A run takes about two seconds of the processors' time. A loop without an end takes more of it, a deadlock
// takes none; on a machine with other work a good run only takes longer.
constexpr rlim_t kMostCpuSeconds = 60;
constexpr unsigned kMostSeconds = 900;
constexpr const char* kCgroupBytes = "268435456";
constexpr std::uint64_t kOutsideThreads = 256 * 1024;  // asked for by the start of threads

struct Options {
  std::uint64_t seconds = 10, seed = 1;
  bool once = false;
  const char* cgroup = nullptr;
};

Scarcity scarcity;
std::uint64_t the_seed = 0;
thread_local std::uint64_t operation = 0;
Block slots[kThreads][kSlots];

// By write(2): what is wrong may be the malloc that printf would call.
[[noreturn]] void fail(Wrong what, const Figures* figures = nullptr) {
  char line[300];
  const int length = std::snprintf(line, sizeof line, "seed %" PRIu64 ", operation %" PRIu64 ", %s: %s\n",
                                   the_seed, operation, scarcity.name(), what);
  if (::write(STDOUT_FILENO, line, static_cast<std::size_t>(length)) != length) _exit(3);
  if (figures != nullptr) figures->print();
  _exit(1);
}

void expect(Wrong wrong, const Figures* figures = nullptr) {
  if (wrong != nullptr) fail(wrong, figures);
}

// Requests that no limit lets pass, and some that lazy kernels grant: nothing of them is touched. A refused
// one costs no address space, where no other thread takes some meanwhile.
Wrong ask_for_too_much(Random& random, bool alone) {
  constexpr std::size_t kCosts = std::size_t{1} << 20;
  const std::size_t before = alone ? heapmark::process::status_bytes("VmSize") : 0;
  const std::size_t bytes = std::size_t{1} << (33 + random.below(31));
  void* block = nullptr;
  switch (random.below(4)) {
    case 0:
      block = std::malloc(bytes);
      break;
    case 1:
      block = std::malloc(bytes - 1 - random.below(100'000));
      break;
    case 2:
      block = std::aligned_alloc(std::size_t{1} << random.below(64), bytes);
      break;
    default:
      if (posix_memalign(&block, std::size_t{8} << random.below(61), bytes) != 0) block = nullptr;
  }
  asm volatile("" : "+r"(block) : : "memory");
  const bool refused = block == nullptr;
  std::free(block);
  if (!alone || !refused || heapmark::process::status_bytes("VmSize") <= before + kCosts) return nullptr;
  return "a refused request costs address space";
}

Wrong fill(Player& player, Random& random, std::size_t most_bytes, Block& slot) {
  std::size_t bytes = random.below(most_bytes > 100'000 ? 8 : 2) != 0 ? random.log_uniform(most_bytes)
                                                                      : random.below(most_bytes);
  if (random.below(300) == 0) bytes = 0;
  const std::size_t alignment = std::size_t{1} << random.below(random.below(8) == 0 ? 22 : 13);
  const std::uint64_t seed = random.next();
  switch (random.below(16)) {
    case 0:
      return player.allocate_aligned(slot, alignment, bytes, true, seed);
    case 1:
      return player.allocate_aligned(slot, alignment, bytes, false, seed);
    case 2:
    case 3:
      return player.allocate_zeroed(slot, 1, bytes, seed);
    case 4:
      return player.allocate_zeroed(slot, bytes / 24 + 1, 24, seed);
    case 5:
      return player.reallocate(slot, bytes, seed);
    case 6:
      return player.allocate_pages(slot, bytes, random.below(2) == 0, seed);
    case 7:
      return player.allocate_by_new(slot, 0, bytes, seed);
    case 8:
      return player.allocate_by_new(slot, alignment, bytes, seed);
    default:
      return player.allocate(slot, bytes, seed);
  }
}

Wrong change(Player& player, Random& random, std::size_t most_bytes, Block& slot) {
  switch (random.below(8)) {
    case 0:
      return player.reallocate(slot, random.log_uniform(most_bytes), random.next());
    case 1:
      return player.reallocate(slot, slot.bytes + random.below(slot.bytes / 4 + 40), random.next());
    case 2:
      return player.reallocate(slot, random.below(slot.bytes + 1), random.next());
    case 3:
      return player.look_at(slot);
    default:
      return player.release(slot);
  }
}

// A refusal in a run of several threads may be of a limit that is gone when it is judged.
Wrong judge_alone(std::size_t bytes) {
  return scarcity.judge(bytes);
}
Wrong judge_nothing(std::size_t) {
  return nullptr;
}

// The first thread changes the limits.
void work(Model& model, const Figures& figures, std::size_t number, std::uint64_t seed, bool alone) {
  static std::atomic<std::size_t> waiting{kThreads};
  if (!alone)  // no thread could be started any more once there are limits
    for (--waiting; waiting != 0;) std::this_thread::yield();
  Player player(model, alone ? judge_alone : judge_nothing);
  Random random(seed);
  std::uint64_t fullness = 50;  // percent of the slots, where this phase tends to
  std::size_t most_bytes = kMostBytes;
  std::uint64_t next_change = 500;
  for (operation = 0; operation < kOperations; ++operation) {
    if (operation % kPhase == 0) {
      constexpr std::size_t kMost[] = {1000, 4000, 16'000, 128'000, kMostBytes, kMostBytes};
      fullness = random.below(3) == 0 ? 3 : 30 + random.below(70);
      most_bytes = kMost[random.below(std::size(kMost))];
    }
    if (number == 0 && operation == next_change) {
      scarcity.change(random, alone);
      next_change += 1 + random.below(400);
    }
    if (random.below(100) == 0 && !(alone && scarcity.pages_are_locked()))
      expect(ask_for_too_much(random, alone));
    if (random.below(2000) == 0) malloc_trim(random.below(2) * 65536);
    Block& slot = slots[number][random.below(kSlots)];
    errno = 0;
    if (slot.memory == nullptr) {
      if (random.below(100) < fullness && model.usable_bytes() < kMostLive)
        expect(fill(player, random, most_bytes, slot));
    } else if (random.below(100) >= fullness || model.usable_bytes() >= kMostLive) {
      expect(player.release(slot));
    } else {
      expect(change(player, random, most_bytes, slot));
    }
    if (alone && operation % 200 == 0) expect(figures.check(0), &figures);
  }
}

// In a process of its own. Once the limits are gone, every request must be served.
[[noreturn]] void run(std::uint64_t seed) {
  the_seed = seed;
  static Model model;
  Random seeds(seed);
  const bool alone = seed % 4 != 0;
  const Figures figures(model);
  if (alone) {
    work(model, figures, 0, seeds.next(), true);
  } else {
    std::thread threads[kThreads];
    for (std::size_t at = 0; at < kThreads; ++at)
      threads[at] = std::thread(work, std::ref(model), std::cref(figures), at, seeds.next(), false);
    for (std::thread& thread : threads) thread.join();
  }
  scarcity.lift();
  expect(model.check_all());
  Player player(model);
  for (auto& of_thread : slots)
    for (Block& slot : of_thread) {
      if (slot.memory != nullptr) expect(player.release(slot));
      expect(player.allocate(slot, 1000 + seeds.below(20'000), seeds.next()));
    }
  for (auto& of_thread : slots)
    for (Block& slot : of_thread) expect(player.release(slot));
  expect(figures.check(alone ? 0 : kOutsideThreads), &figures);
  _exit(0);
}

// A line into a file of a cgroup; false where the kernel refuses.
bool tell(const char* group, const char* file, const char* text) {
  char path[4096];
  std::snprintf(path, sizeof path, "%s/%s", group, file);
  const int fd = ::open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const auto length = static_cast<ssize_t>(std::strlen(text));
  const bool done = ::write(fd, text, static_cast<std::size_t>(length)) == length;
  ::close(fd);
  return done;
}

// By the files of version 2, or of version 1 (cgroups(7)).
void enter_group(const char* group) {
  if ((tell(group, "memory.max", kCgroupBytes) || tell(group, "memory.limit_in_bytes", kCgroupBytes)) &&
      tell(group, "cgroup.procs", "0"))
    return;
  constexpr char kText[] =
      "the memory cgroup cannot be used: give one that is writable and delegates memory\n";
  if (::write(STDERR_FILENO, kText, sizeof kText - 1) > 0) _exit(2);
  _exit(2);
}

// The exit code for all: 0, 1 or 2.
int run_in_child(std::uint64_t seed, const char* cgroup) {
  char group[4096] = {};
  if (cgroup != nullptr) {
    std::snprintf(group, sizeof group, "%s/heapmark-limits-fuzz-%d", cgroup, getpid());
    if (::mkdir(group, 0755) != 0) {
      std::fprintf(stderr, "%s: %s: give a memory cgroup that is writable\n", group, std::strerror(errno));
      return 2;
    }
  }
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit cpu{kMostCpuSeconds, kMostCpuSeconds + 1};
    ::setrlimit(RLIMIT_CPU, &cpu);  // ends it by SIGXCPU
    ::alarm(kMostSeconds);          // by SIGALRM
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (cgroup != nullptr) enter_group(group);
    run(seed);
  }
  int status = 0;
  const bool waited = child > 0 && ::waitpid(child, &status, 0) == child;
  if (cgroup != nullptr) ::rmdir(group);
  if (!waited) return 2;
  if (WIFEXITED(status)) return WEXITSTATUS(status);
  const char* const why = WTERMSIG(status) == SIGALRM   ? "still running after 900 s: a deadlock?"
                          : WTERMSIG(status) == SIGXCPU ? "still running after 60 s of CPU time: a loop?"
                                                        : strsignal(WTERMSIG(status));
  std::printf("seed %" PRIu64 ": %s\n", seed, why);
  return 1;
}

bool read_options(int argc, char** argv, Options* options) {
  for (int at = 1; at < argc; ++at) {
    const std::string_view word = argv[at];
    if (word == "--once") {
      options->once = true;
      continue;
    }
    if (at + 1 == argc) return false;
    const char* value = argv[++at];
    if (word == "--cgroup") {
      options->cgroup = value;
      continue;
    }
    char* end = nullptr;
    const std::uint64_t number = std::strtoull(value, &end, 10);
    if ((word != "--seconds" && word != "--seed") || end == value || *end != '\0') return false;
    (word == "--seed" ? options->seed : options->seconds) = number;
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!read_options(argc, argv, &options)) {
    std::fputs("heapmark-limits-fuzz [--seconds N] [--seed N] [--once] [--cgroup DIRECTORY]\n", stderr);
    return 2;
  }
  std::setvbuf(stdout, nullptr, _IONBF, 0);  // children write too
  timespec start{}, now{};
  clock_gettime(CLOCK_MONOTONIC, &start);
  std::uint64_t runs = 0;
  do {
    const int code = run_in_child(options.seed + runs, options.cgroup);
    if (code != 0) return code;
    ++runs;
    clock_gettime(CLOCK_MONOTONIC, &now);
  } while (!options.once && static_cast<std::uint64_t>(now.tv_sec - start.tv_sec) < options.seconds);
  std::printf("%" PRIu64 " runs of %" PRIu64 " operations from seed %" PRIu64 "\n", runs, kOperations,
              options.seed);
  return 0;
}
