// Each thread asks for a small block, writes to it many times, frees it, and again. If the allocator lays
// blocks of two threads into one cache line, their writes slow each other down (active false sharing).
// Idea: cache-thrash of the Hoard paper (Berger et al., ASPLOS 2000), blocks of 8 bytes, 100 writes each.
// Good: the same time on every number of threads up to the CPUs. Bad: several times that: one heap for all
// threads hands neighbouring blocks to different threads.
// Published: single-heap allocators scale badly, Hoard and those with heaps of threads do not suffer.
// Made to embarrass: serial heaps; today mainly those whose shared lists mix lines of threads.
// Order here (results/classic, 4t, time, ~ within 5 %): brkmmap ~ tbbmalloc ~ jemalloc ~ glibc ~ mimalloc,
// tcmalloc, scudo.
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

struct CacheThrash : WrittenPairs<CacheThrash> {};

constexpr Workload kCacheThrash{"cache-thrash",
                                "small blocks of each thread that are written many times",
                                kParameters,
                                kVariants,
                                kSteadyMetrics,
                                TeamOf<CacheThrash>::prepare,
                                TeamOf<CacheThrash>::run};

HEAPMARK_WORKLOAD(kCacheThrash)

}  // namespace
}  // namespace heapmark
