// One half of the threads asks for blocks, the other half frees them; they pass in batches.
// Idea: xmalloc-test after Lever and Boreham (USENIX 2000), in the form of mimalloc-bench: every block is of
// 64 bytes and is freed by another thread than the one that asked for it. The original runs for a fixed time
// with an unbounded list of batches; here the list is bounded, so that memory does not depend on the
// scheduler. Good: two to three times the time of `pair`. Bad: ten times: each free takes the lock of the
// other thread's heap. Published order (mimalloc-bench): mimalloc, TBB, glibc, jemalloc, and tcmalloc far
// behind. Made to embarrass: thread caches with one central list, through which every single block passes.
// Differs in tcmalloc: probably its spin lock, met only by threads that run at one moment (docs/classics.md).
// Order here (results/classic, 2t, time, ~ within 5 %): mimalloc, tcmalloc ~ glibc, tbbmalloc, brkmmap ~
// jemalloc, scudo.
#include "workloads/batch_queue.h"
#include "workloads/common_parameters.h"

namespace heapmark {
namespace {

constexpr std::uint64_t kBatch = 120;

constexpr Parameter kParameters[] = {
    sizes_parameter("64"),
    {"pairs", Kind::kCount, "2", "", 1, 512, "threads that ask, and as many that free"},
    {"room", Kind::kCount, "32", "", 1, 1e5, "batches of 120 blocks on their way, of all threads"},
    operations_parameter("6M"),
};

constexpr Variant kVariants[] = {
    {"2t", kUsualPasses, "pairs=1", "operations=150000"},
    {"4t", kUsualPasses, "pairs=2", "operations=150000"},
};

BatchQueue<kBatch> queue;

// What all askers put in a unit is as much as all others take, so nobody waits for a thread that has stopped.
struct XMalloc {
  std::uint64_t askers;

  static std::uint32_t threads(Context& context) {
    return static_cast<std::uint32_t>(2 * context.count("pairs"));
  }
  static std::uint64_t units(Context& context, std::uint32_t threads) {
    return units_of(context, threads, kBatch);
  }
  void set_up(Context& context, Member& member, Team&) {
    askers = context.count("pairs");
    if (member.number() == 0) queue.set_up(context);
  }
  void fill(Member&) {}
  void step(Member& member, std::uint64_t) {
    if (member.number() < askers) return queue.ask(member);
    queue.free(member);
  }
  void finish(Member&) {}
};

constexpr Workload kXMalloc{"xmalloc",           "one half of the threads asks, the other half frees",
                            kParameters,         kVariants,
                            kSteadyMetrics,      TeamOf<XMalloc>::prepare,
                            TeamOf<XMalloc>::run};

HEAPMARK_WORKLOAD(kXMalloc)

}  // namespace
}  // namespace heapmark
