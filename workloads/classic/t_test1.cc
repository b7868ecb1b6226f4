// Each thread has bins of blocks; each step picks a bin at random, frees all of it or fills it anew, so that
// blocks that came together die together, at random ages. Mostly malloc, now and then calloc, realloc and an
// aligned request. Idea: t-test1 of Gloger's ptmalloc (1996 on), the test of what became glibc's malloc.
// The original ends and starts threads meanwhile, and is mostly run as a test; here threads stay (mleak and
// larson have those that end) and the work is fixed.
// Good: little above `replace` at these sizes, resident over live below 1.3. Bad: twice the time, or resident
// memory that stays at the largest sum of all bins: freed neighbours are not put together.
// Published: Gloger's point is that an arena a thread scales where one lock does not; no order is quoted.
// Made to embarrass: heaps with one lock, and deferred coalescing, since whole bins become free at once.
// Order here (results/classic, 4t, time, ~ within 5 %): tcmalloc, mimalloc, jemalloc, tbbmalloc ~ glibc,
// brkmmap, scudo.
#include "workloads/live_set.h"

namespace heapmark {
namespace {

constexpr std::uint64_t kMostBytes = 10000, kBlocks = 40;

constexpr Parameter kParameters[] = {
    {"bins", Kind::kCount, "60", "", 1, 1e6, "of each thread, up to 40 blocks each"},
    threads_parameter("4"),
    operations_parameter("2M"),
};

constexpr Variant kVariants[] = {{"4t", kUsualPasses, "threads=4", "operations=60000"}};

struct TTest1 {
  struct Bin {
    Block blocks[kBlocks];
    std::uint64_t used;
  };
  Bin* bins;
  std::uint64_t count;

  static std::uint32_t threads(Context& context) { return threads_of(context); }
  // A step fills or frees a bin of half of kBlocks in the mean.
  static std::uint64_t units(Context& context, std::uint32_t threads) {
    return units_of(context, threads, kBlocks / 2);
  }
  void set_up(Context& context, Member&, Team&) {
    count = context.count("bins");
    bins = static_cast<Bin*>(context.own_memory(count * sizeof(Bin)));
  }
  static Block take(Member& member) {
    const std::uint64_t bytes = 1 + member.random.below(kMostBytes);
    switch (member.random.below(64)) {
      case 0:
        return member.take_zeroed(bytes);
      case 1:
        return member.take_aligned(std::uint64_t{64} << member.random.below(4), bytes);
      case 2: {
        Block block = member.take(bytes);
        member.resize(block, 1 + member.random.below(kMostBytes));
        return block;
      }
      default:
        return member.take(bytes);
    }
  }
  static void turn(Member& member, Bin& bin) {
    if (bin.used > 0) {
      while (bin.used > 0) member.give_back(bin.blocks[--bin.used]);
      return;
    }
    const std::uint64_t wanted = 1 + member.random.below(kBlocks);
    while (bin.used < wanted) bin.blocks[bin.used++] = take(member);
  }
  void fill(Member& member) {
    for (std::uint64_t at = 0; at < count; ++at)
      if (member.random.below(2) == 0) turn(member, bins[at]);
  }
  void step(Member& member, std::uint64_t) { turn(member, bins[member.random.below(count)]); }
  void finish(Member& member) {
    for (std::uint64_t at = 0; at < count; ++at)
      if (bins[at].used > 0) turn(member, bins[at]);
  }
};

constexpr Workload kTTest1{"t-test1",          "bins of blocks that are filled and freed as a whole",
                           kParameters,        kVariants,
                           kSteadyMetrics,     TeamOf<TTest1>::prepare,
                           TeamOf<TTest1>::run};

HEAPMARK_WORKLOAD(kTTest1)

}  // namespace
}  // namespace heapmark
