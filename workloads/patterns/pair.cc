// Each block is freed at once: malloc, touch, free, and again. The fast path of every allocator and nothing
// else; the block comes back warm each time.
// Idea: the first loop of most allocator benchmarks (glibc's bench-malloc-simple, "pair" of tcmalloc's).
// Good: a few nanoseconds above an empty loop, the same at 1 to 32 KiB as at 16 bytes, no kernel calls.
// Bad: times that jump with the size: the fast path ends at some size class, or each pair splits and
// coalesces a free block, or each large block is mapped and released.
// Made to embarrass: glibc above its tcache (1,032 bytes), and whatever purges a slab once it is empty.
#include "workloads/pairs.h"

namespace heapmark {
namespace {

constexpr Parameter kParameters[] = {sizes_parameter("16..1K"), threads_parameter(),
                                     operations_parameter("20M")};

constexpr Variant kVariants[] = {
    {"small-1t", kUsualPasses, "sizes=16..1K", "operations=500000"},
    {"medium-1t", kUsualPasses, "sizes=1K..32K,operations=10M", "operations=500000"},
    {"small-4t", kUsualPasses, "sizes=16..1K,threads=4", "operations=500000"},
};

struct Pair : Pairs<Pair> {};

constexpr Workload kPair{"pair",           "each block is freed at once: the fast path alone",
                         kParameters,      kVariants,
                         kSteadyMetrics,   TeamOf<Pair>::prepare,
                         TeamOf<Pair>::run};

HEAPMARK_WORKLOAD(kPair)

}  // namespace
}  // namespace heapmark
