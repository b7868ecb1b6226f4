// Pairs of threads, each with a queue of its own: one asks for blocks of 64 bytes and puts them in, the other
// takes them out and frees them. No block is freed where it was asked for, and pairs share nothing.
// Idea: the producer and consumer of the discussion of blowup in the Hoard paper (Berger et al., ASPLOS
// 2000); as a benchmark of pairs Prod-con (Schneider et al., ISMM 2006; Bhandari et al., Makalu, OOPSLA
// 2016). Good: a few times `pair`, the same with more pairs as long as there are CPUs; resident memory flat.
// Bad: memory that grows without bound (a pure private heap), or time that rises with the pairs.
// Published: Hoard bounds the blowup; thread caches with a central list pay for each batch that passes there.
// Made to embarrass: heaps without ownership; and a central list that all pairs share.
// Order here (results/classic, 2-pairs, time, ~ within 5 %): mimalloc, glibc, tcmalloc, tbbmalloc, brkmmap,
// jemalloc, scudo.
#include "workloads/bounded_queue.h"
#include "workloads/common_parameters.h"
#include "workloads/size_source.h"

namespace heapmark {
namespace {

constexpr std::uint64_t kMostPairs = kMaxTeam / 2;

constexpr Parameter kParameters[] = {
    sizes_parameter("64"),
    {"pairs", Kind::kCount, "2", "", 1, kMostPairs, "of a thread that asks and one that frees"},
    {"room", Kind::kCount, "1024", "", 1, 1e6, "blocks that the queue of a pair holds"},
    operations_parameter("6M"),
};

constexpr Variant kVariants[] = {{"2-pairs", kUsualPasses, "pairs=2", "operations=150000"}};

SizeSource sizes;
BoundedQueue<>* queues;  // one for each pair

struct ProdCons {
  static std::uint32_t threads(Context& context) {
    return static_cast<std::uint32_t>(2 * context.count("pairs"));
  }
  static std::uint64_t units(Context& context, std::uint32_t threads) {
    return units_of(context, threads, 1);
  }
  void set_up(Context& context, Member& member, Team&) {
    if (member.number() != 0) return;
    const std::uint64_t pairs = context.count("pairs");
    sizes.set_up(context, "sizes");
    queues = static_cast<BoundedQueue<>*>(context.own_memory(pairs * sizeof(BoundedQueue<>)));
    for (std::uint64_t at = 0; at < pairs; ++at)
      (new (&queues[at]) BoundedQueue<>())->set_up(context, context.count("room"));
  }
  void fill(Member&) {}
  void step(Member& member, std::uint64_t) {
    BoundedQueue<>& queue = queues[member.number() / 2];
    if (member.number() % 2 == 0) return queue.put(member.take(sizes.draw(member.random)));
    Block block = queue.take();
    member.give_back(block);
  }
  void finish(Member&) {}
};

constexpr Workload kProdCons{"prod-cons",          "pairs of threads, one asks and the other frees",
                             kParameters,          kVariants,
                             kSteadyMetrics,       TeamOf<ProdCons>::prepare,
                             TeamOf<ProdCons>::run};

HEAPMARK_WORKLOAD(kProdCons)

}  // namespace
}  // namespace heapmark
