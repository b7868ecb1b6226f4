// Thirty-two threads ask for blocks of many sizes, write to them, and leave them to one thread that frees all
// of them, batch after batch: no thread but that one ever frees, and it never asks.
// Idea: the stress test of mimalloc's issue 1002 (wareya 2025), a workload like that of a collector whose one
// thread sweeps; snmalloc took it over as lotsofthreads. The original has no bound on what is on its way;
// here a batch is 64 blocks and 256 batches may be on their way, so that memory is the allocator's alone.
// Good: resident memory of a few times what is on its way (about 8 MiB), flat. Bad: many times that: each of
// the 32 heaps waits long before it takes back what was freed for it, and asks the kernel meanwhile.
// Published (that issue): thirty times the memory of a simple allocator, at a sixth of its time.
// Made to embarrass: heaps of threads that collect frees of others late, and central lists with one lock.
// Order here (results/classic, 32-to-1, time, ~ within 5 %): mimalloc, tcmalloc, jemalloc ~ tbbmalloc, glibc,
// scudo ~ brkmmap.
#include "workloads/batch_queue.h"
#include "workloads/common_parameters.h"

namespace heapmark {
namespace {

constexpr std::uint64_t kBatch = 64;

constexpr Parameter kParameters[] = {
    sizes_parameter("16..4K"),
    {"askers", Kind::kCount, "32", "", 1, kMaxTeam - 1, "threads that ask for blocks; one more frees them"},
    {"room", Kind::kCount, "256", "", 1, 1e5, "batches of 64 blocks on their way"},
    operations_parameter("2M"),
};

constexpr Variant kVariants[] = {{"32-to-1", kUsualPasses, "askers=32", "operations=100000"}};

BatchQueue<kBatch> queue;

struct LotsOfThreads {
  std::uint64_t askers;

  static std::uint32_t threads(Context& context) {
    return static_cast<std::uint32_t>(context.count("askers") + 1);
  }
  static std::uint64_t units(Context& context, std::uint32_t) {
    return units_of(context, 1, 2 * kBatch * context.count("askers"));
  }
  void set_up(Context& context, Member& member, Team&) {
    askers = context.count("askers");
    if (member.number() == 0) queue.set_up(context);
  }
  void fill(Member&) {}
  // The last thread takes in a unit what all others put in it: nobody waits for a thread that has stopped.
  void step(Member& member, std::uint64_t) {
    if (member.number() < askers) return queue.ask(member);
    for (std::uint64_t at = 0; at < askers; ++at) queue.free(member);
  }
  void finish(Member&) {}
};

constexpr Workload kLotsOfThreads{"lotsofthreads",
                                  "many threads ask, and a single one frees in batches",
                                  kParameters,
                                  kVariants,
                                  kSteadyMetrics,
                                  TeamOf<LotsOfThreads>::prepare,
                                  TeamOf<LotsOfThreads>::run};

HEAPMARK_WORKLOAD(kLotsOfThreads)

}  // namespace
}  // namespace heapmark
