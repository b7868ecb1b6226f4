// Ends and copies of threads and processes: destructors of threads, handlers at exit, fork
// (pthread_key_create(3); pthread_atfork(3); atexit(3)). malloc must work in all of them; in a forked child,
// too, as glibc's does.
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <thread>
#include <vector>

#include "allocators/tests/check.h"

using namespace heapmark::conformance;

namespace {

constexpr std::size_t kSizes[] = {8, 100, 700, 3000, 20'000, 70'000, 300'000};

// One block of each size, each with the same tag: what a destructor, a handler or a child is given to look
// at.
struct Baggage {
  static constexpr unsigned char kTag = 0x6E;
  void* blocks[std::size(kSizes)];

  void take() {
    for (std::size_t at = 0; at < std::size(kSizes); ++at) {
      blocks[at] = hidden(std::malloc(kSizes[at]));
      fill(blocks[at], kSizes[at], kTag);
    }
  }
  // True where all were whole.
  bool drop() {
    bool whole = true;
    for (std::size_t at = 0; at < std::size(kSizes); ++at) {
      whole = whole && holds(blocks[at], kSizes[at], kTag);
      std::free(blocks[at]);
    }
    return whole;
  }
};

std::atomic<int> destroyed{0}, broken{0};
pthread_key_t key;

// Comes back as often as POSIX lets a destructor set its key again: after the malloc's own destructor, too.
struct Returning {
  Baggage baggage;
  int rounds;
};

void destroy(void* argument) {
  auto* returning = static_cast<Returning*>(argument);
  broken += !returning->baggage.drop();
  ++destroyed;
  if (--returning->rounds == 0) {
    std::free(returning);
    return;
  }
  returning->baggage.take();
  pthread_setspecific(key, returning);
}

void set_key() {
  auto* returning = static_cast<Returning*>(hidden(std::malloc(sizeof(Returning))));
  returning->rounds = PTHREAD_DESTRUCTOR_ITERATIONS;
  returning->baggage.take();
  pthread_setspecific(key, returning);
}

struct OfThread {
  Baggage baggage;
  OfThread() { baggage.take(); }
  ~OfThread() {
    broken += !baggage.drop();
    ++destroyed;
    Baggage again;
    again.take();
    broken += !again.drop();
  }
};

// "" where it exits with 0.
std::string ended_wrong(pid_t child) {
  int status = 0;
  if (waitpid(child, &status, 0) != child) return "there is no child to wait for";
  if (WIFSIGNALED(status)) return "the child was ended by signal " + std::to_string(WTERMSIG(status));
  if (WEXITSTATUS(status) != 0) return "the child exited with " + std::to_string(WEXITSTATUS(status));
  return "";
}
bool exits_well(pid_t child) {
  return ended_wrong(child).empty();
}

Baggage of_exit[3];
std::atomic<bool> exiting{false};

void drop_one_at_exit() {
  if (!of_exit[0].drop()) _exit(1);
  of_exit[1].take();
}
void drop_other_at_exit() {
  if (!of_exit[1].drop() || !of_exit[2].drop()) _exit(1);
  exiting = true;
}

// What a child does with the heap it was given: frees its parent's blocks, asks, starts threads that ask. Its
// exit code: 1 where a block of its own or its parent's was not whole, 2 where one of its threads'.
int as_child(Baggage& of_parent, bool with_threads) {
  alarm(20);
  bool well = of_parent.drop();
  for (int round = 0; round < 20; ++round) {
    Baggage own;
    own.take();
    well = own.drop() && well;
  }
  if (!with_threads) return well ? 0 : 1;
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int at = 0; at < 4; ++at)
    threads.emplace_back([&wrong] {
      for (int round = 0; round < 20; ++round) {
        Baggage own;
        own.take();
        wrong += !own.drop();
      }
    });
  for (std::thread& thread : threads) thread.join();
  return !well ? 1 : wrong != 0 ? 2 : 0;
}

// Threads that ask and free, hand blocks over to each other, and stop when told to.
class Busy {
 public:
  explicit Busy(int count) {
    for (int at = 0; at < count; ++at)
      threads_.emplace_back([this, at] {
        for (std::size_t size = 1 + static_cast<std::size_t>(at); !stop_; size = size * 7 % 90'000 + 1) {
          void* block = hidden(std::malloc(size));
          std::free(exchange_.exchange(block));
        }
      });
  }
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;
  ~Busy() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
    std::free(exchange_.load());
  }

 private:
  std::atomic<bool> stop_{false};
  std::atomic<void*> exchange_{nullptr};
  std::vector<std::thread> threads_;
};

Baggage at_fork;
void before_fork() {
  at_fork.take();
}
void after_fork() {
  broken += !at_fork.drop();
  std::free(hidden(std::malloc(5000)));
}

std::string forks_go_well(int rounds, bool with_threads) {
  for (int round = 0; round < rounds; ++round) {
    Baggage baggage;
    baggage.take();
    const pid_t child = fork();
    if (child == 0) _exit(broken == 0 ? as_child(baggage, with_threads) : 1);
    EXPECT(child > 0);
    const bool whole = baggage.drop();
    const std::string wrong = ended_wrong(child);
    if (!wrong.empty()) return wrong;
    EXPECT(whole && broken == 0);
  }
  return "";
}

}  // namespace

MALLOC_CHECK(destructors_of_thread_keys_can_allocate_and_free) {
  EXPECT(pthread_key_create(&key, destroy) == 0);
  constexpr int kThreads = 300;
  for (int at = 0; at < kThreads; ++at) std::thread(set_key).join();
  EXPECT(broken == 0 && destroyed == kThreads * PTHREAD_DESTRUCTOR_ITERATIONS);
  return "";
}

MALLOC_CHECK(destructors_of_thread_locals_can_allocate_and_free) {
  constexpr int kThreads = 300;
  for (int at = 0; at < kThreads; ++at)
    std::thread([] {
      thread_local OfThread local;
      broken += !holds(local.baggage.blocks[0], kSizes[0], Baggage::kTag);
    }).join();
  EXPECT(broken == 0 && destroyed == kThreads);
  return "";
}

MALLOC_CHECK(threads_that_first_allocate_in_their_destructor_are_served) {
  EXPECT(pthread_key_create(&key, [](void*) {
           Baggage baggage;
           baggage.take();
           broken += !baggage.drop();
           ++destroyed;
         }) == 0);
  for (int at = 0; at < 300; ++at) {
    pthread_t thread;
    EXPECT(pthread_create(
               &thread, nullptr, [](void* any) -> void* { return pthread_setspecific(key, any), nullptr; },
               &key) == 0);
    pthread_join(thread, nullptr);
  }
  EXPECT(broken == 0 && destroyed == 300);
  return "";
}

MALLOC_CHECK(handlers_at_exit_can_allocate_and_free) {
  for (Baggage& baggage : of_exit) baggage.take();
  of_exit[1].drop();
  EXPECT(std::atexit(drop_other_at_exit) == 0 && std::atexit(drop_one_at_exit) == 0);  // the last runs first
  EXPECT(atexit([] {
           if (exiting) _exit(1);  // registered last: nothing has been dropped yet
         }) == 0);
  const pid_t child = fork();
  if (child == 0) std::exit(0);
  EXPECT(exits_well(child));
  return "";  // and this process exits through the same handlers
}

MALLOC_CHECK(the_process_can_exit_while_threads_allocate) {
  for (int round = 0; round < 20; ++round) {
    const pid_t child = fork();
    if (child == 0) {
      alarm(20);
      static Baggage baggage;
      baggage.take();
      std::atexit([] {
        if (!baggage.drop()) _exit(1);
      });
      auto* busy = new Busy(3);  // never joined
      for (int step = 0; step < 50; ++step) std::free(hidden(std::malloc(1000)));
      std::exit(busy != nullptr ? 0 : 1);
    }
    const std::string wrong = ended_wrong(child);
    if (!wrong.empty()) return wrong;
  }
  return "";
}

MALLOC_CHECK(a_forked_child_frees_its_parents_blocks_and_starts_threads) {
  const Busy busy(3);
  return forks_go_well(20, true);
}

MALLOC_CHECK(a_thread_that_is_not_the_first_can_fork) {
  const Busy busy(2);
  std::string wrong;
  std::thread([&wrong] { wrong = forks_go_well(20, true); }).join();
  return wrong;
}

MALLOC_CHECK(handlers_of_fork_can_allocate_and_free) {
  EXPECT(pthread_atfork(before_fork, after_fork, after_fork) == 0);
  const Busy busy(2);
  return forks_go_well(20, false);
}

MALLOC_CHECK(a_child_of_a_child_goes_on_allocating) {
  const Busy busy(2);
  for (int round = 0; round < 10; ++round) {
    Baggage baggage;
    baggage.take();
    const pid_t child = fork();
    if (child == 0) {
      Baggage own;
      own.take();
      const pid_t grandchild = fork();
      if (grandchild == 0) _exit(as_child(own, true));
      _exit(exits_well(grandchild) && own.drop() ? as_child(baggage, false) : 1);
    }
    const std::string wrong = ended_wrong(child);
    if (!wrong.empty()) return wrong;
    EXPECT(baggage.drop());
  }
  return "";
}
