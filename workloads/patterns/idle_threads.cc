// Hundreds of threads that are idle nearly always and hold a few blocks each; one after the other is woken,
// serves a request (some blocks taken and freed) and sleeps again. A server with a thread a connection.
// Idea: thread-per-connection servers; tcmalloc's and jemalloc's notes on caches of idle threads.
// Good: `rss_per_thread` near what a thread holds live (a page or two), waking costs the kernel's time only.
// Bad: tens to hundreds of KiB a thread: each thread's cache or heap is touched once and never given back.
// Made to embarrass: heaps of one thread that begin with 64 KiB and more, and caches whose cleaning is driven
// by the thread's own calls: an idle thread makes none. The time is mostly that of futex(2).
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "workloads/common_parameters.h"
#include "workloads/size_source.h"
#include "workloads/threads.h"

namespace heapmark {
namespace {

constexpr Parameter kParameters[] = {
    sizes_parameter("16..1K"),
    {"threads", Kind::kCount, "400", "", 1, 10000, "idle threads"},
    {"held", Kind::kCount, "8", "", 1, 1e6, "blocks that each thread holds while it is idle"},
    {"request", Kind::kCount, "32", "", 1, 1e6, "blocks taken and freed when it is woken"},
    {"wakes", Kind::kCount, "20000", "", 1, 1e9, "requests served, one at a time"},
};

constexpr Variant kVariants[] = {
    {"hundreds", kUsualPasses, "threads=400", "threads=150,wakes=1000"},
};

constexpr MetricInfo kOwnMetrics[] = {
    {"rss_per_thread", "bytes", Better::kLower, kMemory, true,
     "resident above the start over the number of idle threads, once each has served its part"},
};
constexpr auto kMetrics = with_steady_metrics(kOwnMetrics);

SizeSource sizes;

// Hundreds of stacks: smaller ones than elsewhere.
constexpr std::size_t kStackBytes = 64 * 1024;

// A thread that sleeps on `turn`: odd while it is to work, even once it has; kEnd sends it away.
struct Sleeper {
  static constexpr std::uint32_t kEnd = ~std::uint32_t{0};
  Member member;
  std::atomic<std::uint32_t> turn{0};
  Block *held, *request;
  std::uint64_t held_count, request_count;
  pthread_t thread;

  void wait_while(std::uint32_t value) {
    while (turn.load() == value) syscall(SYS_futex, &turn, FUTEX_WAIT_PRIVATE, value, nullptr, nullptr, 0);
  }
  void set_turn(std::uint32_t value) {
    turn.store(value);
    syscall(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
  }

  // One of the held blocks is replaced by a new one each time.
  void serve() {
    for (std::uint64_t at = 0; at < request_count; ++at) request[at] = member.take(sizes.draw(member.random));
    Block& replaced = held[member.random.below(held_count)];
    member.give_back(replaced);
    replaced = member.take(sizes.draw(member.random));
    for (std::uint64_t at = 0; at < request_count; ++at) member.give_back(request[at]);
  }

  void live() {
    std::uint32_t done = 0;
    wait_while(done);
    for (std::uint64_t at = 0; at < held_count; ++at) held[at] = member.take(sizes.draw(member.random));
    for (;;) {
      done += 2;
      set_turn(done);
      wait_while(done);
      if (turn.load() == kEnd) break;
      serve();
    }
    for (std::uint64_t at = 0; at < held_count; ++at) member.give_back(held[at]);
  }

  // By the first thread: lets it work once and waits until it sleeps again.
  void wake() {
    const std::uint32_t now = turn.load();
    set_turn(now + 1);
    wait_while(now + 1);
  }
};

struct IdleThreads {
  Sleeper* sleepers;
  char* stacks;
  std::uint64_t count;

  static std::uint32_t threads(Context&) { return 1; }
  static std::uint32_t threads_at_once(Context&) { return 2; }
  static std::uint64_t units(Context& context, std::uint32_t) { return context.count("wakes"); }

  void set_up(Context& context, Member&, Team&) {
    sizes.set_up(context, "sizes");
    count = context.count("threads");
    const std::uint64_t held = context.count("held"), request = context.count("request");
    sleepers = static_cast<Sleeper*>(context.own_memory(count * sizeof(Sleeper)));
    stacks = static_cast<char*>(context.own_memory(count * kStackBytes));
    Block* blocks = static_cast<Block*>(context.own_memory(count * (held + request) * sizeof(Block)));
    for (std::uint64_t at = 0; at < count; ++at, blocks += held + request) {
      Sleeper& sleeper = *new (&sleepers[at]) Sleeper();
      sleeper.member.set_up(context, static_cast<std::uint32_t>(at + 1));
      sleeper.held = blocks;
      sleeper.request = blocks + held;
      sleeper.held_count = held;
      sleeper.request_count = request;
    }
  }
  void fill(Member& member) {
    for (std::uint64_t at = 0; at < count; ++at) {
      Sleeper& sleeper = sleepers[at];
      const auto live = [](void* argument) -> void* {
        static_cast<Sleeper*>(argument)->live();
        return nullptr;
      };
      if (!start_thread(&sleeper.thread, stacks + at * kStackBytes, live, &sleeper, kStackBytes))
        member.context().fail(Outcome::kRefused, "a thread could not be started: choose fewer threads");
      wake(member, sleeper);
    }
  }
  // It sleeps again, so its account can be taken over.
  static void wake(Member& member, Sleeper& sleeper) {
    sleeper.wake();
    member.absorb(sleeper.member);
  }
  void step(Member& member, std::uint64_t unit) { wake(member, sleepers[unit % count]); }
  void finish(Member& member) {
    if (member.context().pass() == kMemory)
      member.context().metric("rss_per_thread", static_cast<double>(member.context().observe().rss_bytes) /
                                                    static_cast<double>(count));
    for (std::uint64_t at = 0; at < count; ++at) sleepers[at].set_turn(Sleeper::kEnd);
    for (std::uint64_t at = 0; at < count; ++at) {
      pthread_join(sleepers[at].thread, nullptr);
      member.absorb(sleepers[at].member);
    }
  }
};

constexpr Workload kIdleThreads{"idle-threads",
                                "hundreds of idle threads that hold a few blocks each",
                                kParameters,
                                kVariants,
                                kMetrics.rows,
                                TeamOf<IdleThreads>::prepare,
                                TeamOf<IdleThreads>::run};

HEAPMARK_WORKLOAD(kIdleThreads)

}  // namespace
}  // namespace heapmark
