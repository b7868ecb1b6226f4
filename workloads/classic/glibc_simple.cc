// Batches of 25, 100, 400 and 1,600 blocks of one size are asked for and freed, in the order of birth, by
// one thread: the sizes of the batches lie below and above what a thread cache holds.
// Idea: bench-malloc-simple of glibc's benchtests, one size a run, 8 bytes to 4 KiB; here 128 bytes, and
// `--set sizes=...` for others. The original does not touch the blocks.
// Good: the time of `pair` for all batches. Bad: twice that and more: the largest batches leave the cache,
// and each further block takes the slow path (in glibc 7 blocks a size stay in the cache).
// Published: glibc's developers use it to watch their cache: no order of others is quoted.
// Made to embarrass: caches that are bounded by a number of blocks, whatever their size.
// Order here (results/classic, 1t, time, ~ within 5 %): tcmalloc, mimalloc, brkmmap, jemalloc, tbbmalloc,
// glibc ~ scudo.
#include "workloads/live_set.h"

namespace heapmark {
namespace {

constexpr std::uint64_t kBatches[] = {25, 100, 400, 1600};
constexpr std::uint64_t kLargest = 1600, kBlocksAUnit = 25 + 100 + 400 + 1600;

constexpr Parameter kParameters[] = {sizes_parameter("128"), operations_parameter("20M")};

constexpr Variant kVariants[] = {{"1t", kUsualPasses, "", "operations=500000"}};

struct GlibcSimple {
  SlotTable set;
  SizeSource sizes;

  static std::uint32_t threads(Context&) { return 1; }
  static std::uint64_t units(Context& context, std::uint32_t threads) {
    return units_of(context, threads, 2 * kBlocksAUnit);
  }
  void set_up(Context& context, Member&, Team&) {
    sizes.set_up(context, "sizes");
    set.set_up(context, kLargest);
  }
  void fill(Member&) {}
  void step(Member& member, std::uint64_t) {
    for (const std::uint64_t batch : kBatches) {
      for (std::uint64_t at = 0; at < batch; ++at) set.slots[at] = member.take(sizes.draw(member.random));
      for (std::uint64_t at = 0; at < batch; ++at) member.give_back(set.slots[at]);
    }
  }
  void finish(Member&) {}
};

constexpr Workload kGlibcSimple{"glibc-simple",
                                "batches of one size, below and above a thread cache",
                                kParameters,
                                kVariants,
                                kSteadyMetrics,
                                TeamOf<GlibcSimple>::prepare,
                                TeamOf<GlibcSimple>::run};

HEAPMARK_WORKLOAD(kGlibcSimple)

}  // namespace
}  // namespace heapmark
