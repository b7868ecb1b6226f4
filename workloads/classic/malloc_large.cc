// Twenty live blocks of 5 to 25 MiB; a random one is replaced each step, every page of the new one touched.
// Idea: malloc-large of mimalloc-bench, after a report of large buffers that were mapped anew each time.
// Good: no faults after the fill: ranges of freed blocks are used again. Bad: a fault for each page of each
// block (an mmap and a munmap a block), or resident memory far above the live 300 MiB.
// Published order (mimalloc-bench): tcmalloc, glibc (its dynamic threshold keeps them in the heap), then TBB,
// mimalloc and jemalloc with three times the time.
// Made to embarrass: a fixed threshold above which everything is mapped and released.
// Order here (results/classic, 20-blocks, time, ~ within 5 %): tcmalloc, brkmmap, glibc, tbbmalloc, mimalloc,
// jemalloc, scudo.
#include "workloads/live_set.h"

namespace heapmark {
namespace {

constexpr Parameter kParameters[] = {
    sizes_parameter("5M..25M"),
    {"blocks", Kind::kCount, "20", "", 1, 1e6, "live blocks"},
    {"replacements", Kind::kCount, "400", "", 1, 1e9, "of a random block"},
};

constexpr Variant kVariants[] = {{"20-blocks", kUsualPasses, "", "blocks=4,replacements=8"}};

struct MallocLarge : LiveSet<MallocLarge> {
  static std::uint32_t threads(Context&) { return 1; }
  static std::uint64_t units(Context& context, std::uint32_t) { return context.count("replacements"); }
  static std::uint64_t count_of(Context& context, std::uint32_t) { return context.count("blocks"); }
};

constexpr Workload kMallocLarge{"malloc-large",
                                "a few live blocks of 5 to 25 MiB, replaced at random",
                                kParameters,
                                kVariants,
                                kSteadyMetrics,
                                TeamOf<MallocLarge>::prepare,
                                TeamOf<MallocLarge>::run};

HEAPMARK_WORKLOAD(kMallocLarge)

}  // namespace
}  // namespace heapmark
