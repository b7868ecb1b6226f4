// Threads that share nothing: each asks for its part of 100,000 small blocks, then frees them, again and
// again. Idea: threadtest of the Hoard paper (Berger et al., ASPLOS 2000): t threads, 100,000 / t objects of
// 8 bytes each, no sharing. The original computes between the calls (a work parameter, mostly 0); here it
// does not. Good: the time a call does not rise with the threads as long as there are CPUs, and is that of
// `batch`. Bad: a multiple on more threads: one lock, or an overflow of every thread cache into one shared
// list. Published: single-lock heaps of 2000 slow down with each thread, Hoard speeds up linearly. Made to
// embarrass: caches that hold fewer blocks than a batch has, and least blocks of 32 bytes for 8.
// Order here (results/classic, 4t, time, ~ within 5 %): mimalloc, brkmmap, tcmalloc, glibc, jemalloc ~
// tbbmalloc, scudo.
#include "workloads/common_parameters.h"
#include "workloads/size_source.h"

namespace heapmark {
namespace {

constexpr Parameter kParameters[] = {
    sizes_parameter("8"),
    {"blocks", Kind::kCount, "100000", "", 1, 1e8, "of an iteration, all threads together"},
    threads_parameter("4"),
    operations_parameter("20M"),
};

constexpr Variant kVariants[] = {{"4t", kUsualPasses, "threads=4", "operations=600000"}};

SizeSource sizes;

struct ThreadTest {
  Block* blocks;
  std::uint64_t count;

  static std::uint32_t threads(Context& context) { return threads_of(context); }
  static std::uint64_t share(Context& context, std::uint32_t threads) {
    return context.count("blocks") / threads + 1;
  }
  static std::uint64_t units(Context& context, std::uint32_t threads) {
    return units_of(context, threads, 2 * share(context, threads));
  }
  void set_up(Context& context, Member& member, Team& team) {
    if (member.number() == 0) sizes.set_up(context, "sizes");
    count = share(context, team.threads());
    blocks = static_cast<Block*>(context.own_memory(count * sizeof(Block)));
  }
  void fill(Member&) {}
  void step(Member& member, std::uint64_t) {
    for (std::uint64_t at = 0; at < count; ++at) blocks[at] = member.take(sizes.draw(member.random));
    for (std::uint64_t at = 0; at < count; ++at) member.give_back(blocks[at]);
  }
  void finish(Member&) {}
};

constexpr Workload kThreadTest{"threadtest",
                               "threads that each take and free many small blocks",
                               kParameters,
                               kVariants,
                               kSteadyMetrics,
                               TeamOf<ThreadTest>::prepare,
                               TeamOf<ThreadTest>::run};

HEAPMARK_WORKLOAD(kThreadTest)

}  // namespace
}  // namespace heapmark
