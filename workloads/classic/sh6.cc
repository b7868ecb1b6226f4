// Batches of small blocks of one size after the other; most of a batch is freed in reverse order, the next
// batch's in the order of birth, and some of every batch survive a few batches: free blocks of one size are
// left among live ones of the others. No block leaves its thread.
// Idea: sh6bench of MicroQuill (SmartHeap), as comparisons describe it: sizes from 1 to 1,000 bytes, small
// ones far more often, uniform work on each thread.
// Good: near the time of `batch`. Bad: several times that on more than one thread.
// Published order (mimalloc-bench): mimalloc and snmalloc first, glibc last, at more than twice the time.
// Made to embarrass: coalescing at each free, and caches that hold less than a batch.
// Order here (results/classic, 4t, time, ~ within 5 %): mimalloc, tcmalloc, jemalloc, brkmmap, glibc,
// tbbmalloc, scudo.
#include "workloads/classic/sh_batches.h"

namespace heapmark {
namespace {

constexpr Parameter kParameters[] = {sizes_parameter("1..1000"), batch_parameter(),
                                     survivors_parameter("0.1"), handed_parameter("0"),
                                     threads_parameter("4"),     operations_parameter("10M")};

constexpr Variant kVariants[] = {{"4t", kUsualPasses, "threads=4", "operations=500000"}};

constexpr Workload kSh6{"sh6",
                        "batches freed in both orders, with survivors among them",
                        kParameters,
                        kVariants,
                        kSteadyMetrics,
                        TeamOf<ShBatches>::prepare,
                        TeamOf<ShBatches>::run};

HEAPMARK_WORKLOAD(kSh6)

}  // namespace
}  // namespace heapmark
