// The first thread asks for one small block for each thread, side by side; each thread frees the one that it
// was handed and then works as in cache-thrash. If a freed piece of a shared cache line goes to the thread
// that freed it, threads share lines for ever after (passive false sharing). Idea: cache-scratch of the Hoard
// paper (Berger et al., ASPLOS 2000), blocks of 8 bytes, 100 writes each. Good: the time of cache-thrash.
// Bad: several times that. Published: thread caches that keep what they free (Cilk, STL pools) suffer; Hoard
// gives it back to its owner. Made to embarrass: thread caches without ownership: tcmalloc's and glibc's
// tcache hand the block out again.
// Order here (results/classic, 4t, time, ~ within 5 %): mimalloc ~ jemalloc, brkmmap ~ scudo, tbbmalloc,
// tcmalloc ~ glibc.
#include "workloads/pairs.h"

namespace heapmark {
namespace {

constexpr Parameter kParameters[] = {
    sizes_parameter("8"),
    writes_parameter(),
    threads_parameter("4"),
    operations_parameter("2M"),
};

constexpr Variant kVariants[] = {{"4t", kUsualPasses, "threads=4", "operations=60000"}};

Block* handed;  // one for each thread, all taken by the first

struct CacheScratch : WrittenPairs<CacheScratch> {
  std::uint64_t threads_in_all;

  void set_up(Context& context, Member& member, Team& team) {
    WrittenPairs::set_up(context, member, team);
    threads_in_all = team.threads();
    if (member.number() == 0)
      handed = static_cast<Block*>(context.own_memory(threads_in_all * sizeof(Block)));
  }
  void fill(Member& member) {
    if (member.number() != 0) return;
    for (std::uint64_t at = 0; at < threads_in_all; ++at) handed[at] = member.take(sizes.draw(member.random));
  }
  void before_first(Member& member) { member.give_back(handed[member.number()]); }
};

constexpr Workload kCacheScratch{"cache-scratch",
                                 "threads that free a neighbour's small block and go on",
                                 kParameters,
                                 kVariants,
                                 kSteadyMetrics,
                                 TeamOf<CacheScratch>::prepare,
                                 TeamOf<CacheScratch>::run};

HEAPMARK_WORKLOAD(kCacheScratch)

}  // namespace
}  // namespace heapmark
