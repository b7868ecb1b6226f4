// A table of live blocks; a random one is freed and replaced by one of another size, again and again, with no
// drift at all: a cache in steady state.
// Idea: the steady form of the random traces that Wilson et al. discuss ("Dynamic Storage Allocation", 1995);
// the inner loop of Larson and Krishnan's server simulation (ISMM 1998), on threads that do not end.
// Good: 70 to 100 ns for a set larger than the caches (each touch of a random block is a cache miss for
// everyone), resident over live below 1.15 and flat. Bad: twice the time, or resident memory that grows.
// Made to embarrass: search in free lists and trees (glibc at 16 B to 64 KiB), and metadata beside each block
// that must be read again at each free. `cached` fits a second-level cache: instructions alone count.
#include "workloads/live_set.h"

namespace heapmark {
namespace {

constexpr Parameter kParameters[] = {sizes_parameter("16..1K"), live_parameter("48M"), threads_parameter(),
                                     operations_parameter("4M")};

constexpr Variant kVariants[] = {
    {"tiny-1t", kUsualPasses, "sizes=16..128,live=32M", "live=4M,operations=150000"},
    {"small-1t", kUsualPasses, "sizes=16..1K", "live=8M,operations=150000"},
    {"small-cached-1t", kUsualPasses, "sizes=16..1K,live=512K,operations=20M", "operations=500000"},
    {"wide-1t", kUsualPasses, "sizes=16..64K,live=128M,operations=1M", "live=16M,operations=40000"},
    {"small-2t", kUsualPasses, "sizes=16..1K,threads=2", "live=8M,operations=150000"},
    {"small-4t", kUsualPasses, "sizes=16..1K,threads=4", "live=8M,operations=150000"},
};

struct Replace : LiveSet<Replace> {};

constexpr Workload kReplace{"replace",           "random blocks of a steady live set are freed and replaced",
                            kParameters,         kVariants,
                            kSteadyMetrics,      TeamOf<Replace>::prepare,
                            TeamOf<Replace>::run};

HEAPMARK_WORKLOAD(kReplace)

}  // namespace
}  // namespace heapmark
