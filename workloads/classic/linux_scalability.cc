// Each thread asks for a block of one size and frees it, millions of times, sharing nothing with the others.
// Idea: linux-scalability of Lever and Boreham ("malloc() Performance in a Multithreaded Linux Environment",
// USENIX 2000), with 512 bytes as theirs; Berger et al. (Hoard, ASPLOS 2000) quote it. The original waits for
// its threads' start within the time and touches nothing; here the clock runs for the loop, and blocks are
// touched.
// Good: the time of `pair` on every thread: a perfect scaler's time falls with the number of threads as long
// as there are CPUs. Bad: time that rises with each thread: one lock around the heap.
// Made to embarrass: the single-lock mallocs of that day; today those without a thread cache.
// Order here (results/classic, 4t, time, ~ within 5 %): tcmalloc, jemalloc, brkmmap, glibc, mimalloc,
// tbbmalloc, scudo.
#include "workloads/pairs.h"

namespace heapmark {
namespace {

constexpr Parameter kParameters[] = {sizes_parameter("512"), threads_parameter("4"),
                                     operations_parameter("20M")};

constexpr Variant kVariants[] = {{"4t", kUsualPasses, "threads=4", "operations=600000"}};

struct LinuxScalability : Pairs<LinuxScalability> {};

constexpr Workload kLinuxScalability{"linux-scalability",
                                     "threads that each ask for a block of one size and free it",
                                     kParameters,
                                     kVariants,
                                     kSteadyMetrics,
                                     TeamOf<LinuxScalability>::prepare,
                                     TeamOf<LinuxScalability>::run};

HEAPMARK_WORKLOAD(kLinuxScalability)

}  // namespace
}  // namespace heapmark
