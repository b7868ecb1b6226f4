// A server whose threads end and pass their blocks on: each thread replaces random blocks of its own set,
// then ends, and its successor goes on with the same set. So blocks are freed by other threads than those
// that asked for them ("bleeding"). Idea: Larson and Krishnan ("Memory Allocation for Long-Running Server
// Applications", ISMM 1998), in the form that mimalloc's and snmalloc's comparisons run: sizes uniform from
// 8 B to 1 KiB, so many replacements a generation that only a few in a hundred frees are of a predecessor's
// block. The original runs for a fixed time; here the work is fixed and generations end together. Good: the
// time of `replace` on as many threads. Bad: many times that, or resident memory that grows with the
// generations. Published order (mimalloc-bench): tcmalloc, mimalloc, jemalloc, then glibc and TBB. Made to
// embarrass: locked arenas, and heaps that cannot take back a block of an ended thread.
// Order here (results/classic, 2t, time, ~ within 5 %): tcmalloc, mimalloc, jemalloc, glibc, brkmmap ~
// tbbmalloc, scudo.
#include "workloads/common_parameters.h"
#include "workloads/size_source.h"
#include "workloads/thread_wave.h"

namespace heapmark {
namespace {

constexpr Parameter kParameters[] = {
    {"sizes", Kind::kSizes, "uniform", "uniform", 0, 0,
     "of the requests: uniform (8 B to 1,000 B, each as likely), one size, a range or a histogram file"},
    {"blocks", Kind::kCount, "1000", "", 1, 1e7, "live blocks of each thread"},
    {"generations", Kind::kCount, "25", "", 1, 1e9, "of threads, one after the other"},
    threads_parameter("4"),
    operations_parameter("10M"),
};

constexpr Variant kVariants[] = {
    {"2t", kUsualPasses, "threads=2", "operations=400000,generations=10"},
    {"4t", kUsualPasses, "threads=4", "operations=400000,generations=10"},
};

constexpr std::uint64_t kLeastBytes = 8, kMostBytes = 1000;

SizeSource sizes;
bool uniform;

Block take(Member& member) {
  return member.take(uniform ? kLeastBytes + member.random.below(kMostBytes - kLeastBytes + 1)
                             : sizes.draw(member.random));
}

struct Set {
  Block* blocks;
  std::uint64_t count, replacements;
};

void serve(Member& member, void* work) {
  Set& set = *static_cast<Set*>(work);
  for (std::uint64_t at = 0; at < set.replacements; ++at) {
    Block& block = set.blocks[member.random.below(set.count)];
    member.give_back(block);
    block = take(member);
  }
}

struct Larson {
  Set* sets;
  std::uint32_t at_once;
  ThreadWave wave;

  static std::uint32_t threads(Context&) { return 1; }
  static std::uint32_t threads_at_once(Context& context) { return threads_of(context); }
  static std::uint64_t units(Context& context, std::uint32_t) { return context.count("generations"); }

  void set_up(Context& context, Member&, Team& team) {
    uniform = context.chosen("sizes", "uniform");
    if (!uniform) sizes.set_up(context, "sizes");
    at_once = threads_of(context);
    wave.set_up(context, at_once);
    sets = static_cast<Set*>(context.own_memory(at_once * sizeof(Set)));
    const std::uint64_t blocks = context.count("blocks");
    for (std::uint32_t at = 0; at < at_once; ++at)
      sets[at] = {static_cast<Block*>(context.own_memory(blocks * sizeof(Block))), blocks,
                  context.count("operations") / 2 / at_once / team.units() + 1};
  }
  // By the first thread, as in the original: the first generation already frees blocks of another thread.
  void fill(Member& member) {
    for (std::uint32_t at = 0; at < at_once; ++at)
      for (std::uint64_t block = 0; block < sets[at].count; ++block) sets[at].blocks[block] = take(member);
  }
  void step(Member& member, std::uint64_t) { wave.run(member, serve, sets, sizeof(Set)); }
  void finish(Member& member) {
    for (std::uint32_t at = 0; at < at_once; ++at)
      for (std::uint64_t block = 0; block < sets[at].count; ++block) member.give_back(sets[at].blocks[block]);
  }
};

constexpr Workload kLarson{
    "larson",           "threads that end and pass their live blocks on to a successor",
    kParameters,        kVariants,
    kSteadyMetrics,     TeamOf<Larson>::prepare,
    TeamOf<Larson>::run};

HEAPMARK_WORKLOAD(kLarson)

}  // namespace
}  // namespace heapmark
