// sh6 with blocks that move: more of each batch survives it, and a share of the survivors is freed by
// another thread than the one that asked for them, one block at a time.
// Idea: sh8bench of MicroQuill (SmartHeap), as comparisons describe it: the batches of sh6bench on more
// threads, some objects freed in reverse order, some by other threads as in larson.
// Good: the time of sh6: a block that another thread freed goes back to its heap without a lock. Bad: twice
// that and more: each such free takes a lock, or writes to a cache line that the owner uses.
// Published order (mimalloc-bench): as on sh6, mimalloc and snmalloc first, glibc last.
// Made to embarrass: arenas with a lock, and thread caches that keep what others' blocks they freed.
// Order here (results/classic, 4t, time, ~ within 5 %): tcmalloc, brkmmap ~ jemalloc, mimalloc, glibc ~
// tbbmalloc, scudo.
#include "workloads/classic/sh_batches.h"

namespace heapmark {
namespace {

constexpr Parameter kParameters[] = {sizes_parameter("1..1000"),  batch_parameter(),
                                     survivors_parameter("0.25"), handed_parameter("0.25"),
                                     threads_parameter("4"),      operations_parameter("10M")};

constexpr Variant kVariants[] = {{"4t", kUsualPasses, "threads=4", "operations=500000"}};

// A type of its own: what a team has is one a type.
struct Sh8 : ShBatches {};

constexpr Workload kSh8{"sh8",           "the batches of sh6, some survivors freed by other threads",
                        kParameters,     kVariants,
                        kSteadyMetrics,  TeamOf<Sh8>::prepare,
                        TeamOf<Sh8>::run};

HEAPMARK_WORKLOAD(kSh8)

}  // namespace
}  // namespace heapmark
