// A working set of 1,024 slots a thread; each step frees a random slot and takes a block in its place, with
// sizes by the inverse square law from 4 bytes to 32 KiB: nearly all small, a few large.
// Idea: bench-malloc-thread of glibc's benchtests, whose sizes follow 1 / x^2. The original runs for a fixed
// time and does not touch the blocks.
// Good: near the time of `replace` on a cached set. Bad: 1.4 times the best and more on several threads.
// Published order (mimalloc-bench): jemalloc, tcmalloc and mimalloc within five in a hundred, then glibc,
// TBB. Made to embarrass: thread caches that bound the bytes they hold: one large block empties them.
#include "workloads/common_parameters.h"
#include "workloads/drawn_sizes.h"

namespace heapmark {
namespace {

constexpr std::uint64_t kLeastBytes = 4, kMostBytes = 32 * 1024;

constexpr Parameter kParameters[] = {
    {"slots", Kind::kCount, "1024", "", 1, 1e8, "working set of each thread"},
    threads_parameter("1"),
    operations_parameter("16M"),
};

constexpr Variant kVariants[] = {
    {"1t", kUsualPasses, "threads=1", "operations=1M"},
    {"4t", kUsualPasses, "threads=4", "operations=1M"},
};

struct GlibcThread {
  Block* slots;
  std::uint64_t count;

  static std::uint32_t threads(Context& context) { return threads_of(context); }
  static std::uint64_t units(Context& context, std::uint32_t threads) {
    return units_of(context, threads, 2);
  }
  void set_up(Context& context, Member&, Team&) {
    count = context.count("slots");
    slots = static_cast<Block*>(context.own_memory(count * sizeof(Block)));
  }
  static Block take(Member& member) {
    return member.take(draw_inverse_square(kLeastBytes, kMostBytes, member.random));
  }
  void fill(Member& member) {
    for (std::uint64_t at = 0; at < count; ++at) slots[at] = take(member);
  }
  void step(Member& member, std::uint64_t) {
    Block& slot = slots[member.random.below(count)];
    member.give_back(slot);
    slot = take(member);
  }
  void finish(Member& member) {
    for (std::uint64_t at = 0; at < count; ++at) member.give_back(slots[at]);
  }
};

constexpr Workload kGlibcThread{"glibc-thread",
                                "a small working set with sizes by the inverse square law",
                                kParameters,
                                kVariants,
                                kSteadyMetrics,
                                TeamOf<GlibcThread>::prepare,
                                TeamOf<GlibcThread>::run};

HEAPMARK_WORKLOAD(kGlibcThread)

}  // namespace
}  // namespace heapmark
