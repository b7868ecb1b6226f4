// A working set of 1,024 slots a thread; each step frees a random slot and takes a block in its place, with
// sizes by the inverse square law from 4 bytes to 32 KiB: nearly all small, a few large.
// Idea: bench-malloc-thread of glibc's benchtests, whose sizes follow 1 / x^2. The original runs for a fixed
// time and does not touch the blocks.
// Good: near the time of `replace` on a cached set. Bad: 1.4 times the best and more on several threads.
// Published order (mimalloc-bench): jemalloc, tcmalloc and mimalloc within five in a hundred, then glibc,
// TBB. Made to embarrass: thread caches that bound the bytes they hold: one large block empties them.
// Order here (results/classic, 2t, time, ~ within 5 %): mimalloc ~ tcmalloc, jemalloc, brkmmap, glibc,
// tbbmalloc, scudo.
#include "workloads/drawn_sizes.h"
#include "workloads/live_set.h"

namespace heapmark {
namespace {

constexpr std::uint64_t kLeastBytes = 4, kMostBytes = 32 * 1024;

constexpr Parameter kParameters[] = {
    {"slots", Kind::kCount, "1024", "", 1, 1e8, "working set of each thread"},
    threads_parameter("1"),
    operations_parameter("16M"),
};

constexpr Variant kVariants[] = {
    {"1t", kUsualPasses, "threads=1", "operations=500000"},
    {"2t", kUsualPasses, "threads=2", "operations=500000"},
    {"4t", kUsualPasses, "threads=4", "operations=500000"},
};

struct GlibcThread : LiveSet<GlibcThread> {
  static void read_sizes(Context&) {}
  static std::uint64_t count_of(Context& context, std::uint32_t) { return context.count("slots"); }
  static Block take(Member& member) {
    return member.take(draw_inverse_square(kLeastBytes, kMostBytes, member.random));
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
