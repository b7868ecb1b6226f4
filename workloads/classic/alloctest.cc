// Random blocks with few sizes that are large and few lives that are long: sizes by Pareto's law up to 1 KiB,
// each replaced block chosen so that lifetimes are about exponential.
// Idea: alloc-test (Hare and Ignatchenko, "Testing memory allocators", ACCU Overload 2018), whose point is
// that a benchmark must touch its memory and must not fit the cache by accident. Good: the time of an empty
// cache miss: all allocators are close together. Bad: more than 1.4 times the best. Published order
// (mimalloc-bench, 2 threads): mimalloc, then jemalloc and tcmalloc level, glibc and TBB last. Made to
// embarrass: metadata far from the blocks: a second cache miss for each call.
// Order here (results/classic, 2t, time, ~ within 5 %): mimalloc, tcmalloc ~ jemalloc ~ brkmmap, tbbmalloc,
// glibc, scudo.
#include "workloads/common_parameters.h"
#include "workloads/drawn_sizes.h"

namespace heapmark {
namespace {

constexpr std::uint64_t kLeastBytes = 8, kMostBytes = 1024, kMeanBytes = 40;

constexpr Parameter kParameters[] = {live_parameter("32M"), threads_parameter("1"),
                                     operations_parameter("6M")};

constexpr Variant kVariants[] = {
    {"1t", kUsualPasses, "threads=1", "live=4M,operations=300000"},
    {"2t", kUsualPasses, "threads=2", "live=4M,operations=300000"},
};

// A visit to a random slot frees what is there, or takes a block where there is none: one half is live.
struct AllocTest {
  Block* slots;
  std::uint64_t count;

  static std::uint32_t threads(Context& context) { return threads_of(context); }
  static std::uint64_t units(Context& context, std::uint32_t threads) {
    return units_of(context, threads, 1);
  }
  void set_up(Context& context, Member&, Team& team) {
    count = 2 * (context.count("live") / team.threads() / kMeanBytes) + 2;
    slots = static_cast<Block*>(context.own_memory(count * sizeof(Block)));
  }
  void visit(Member& member, Block& slot) {
    if (slot.memory != nullptr)
      member.give_back(slot);
    else
      slot = member.take(draw_inverse_square(kLeastBytes, kMostBytes, member.random));
  }
  void fill(Member& member) {
    for (std::uint64_t at = 0; at < count; ++at)
      if (member.random.below(2) == 0) visit(member, slots[at]);
  }
  void step(Member& member, std::uint64_t) { visit(member, slots[member.random.below(count)]); }
  void finish(Member& member) {
    for (std::uint64_t at = 0; at < count; ++at) member.give_back_if_any(slots[at]);
  }
};

constexpr Workload kAllocTest{
    "alloc-test",          "random small blocks by Pareto's law, a set beyond the caches",
    kParameters,           kVariants,
    kSteadyMetrics,        TeamOf<AllocTest>::prepare,
    TeamOf<AllocTest>::run};

HEAPMARK_WORKLOAD(kAllocTest)

}  // namespace
}  // namespace heapmark
