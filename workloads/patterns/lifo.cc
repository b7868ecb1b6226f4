// The youngest block dies first: a stack that grows and shrinks in runs of random length, as recursion,
// scopes and undo lists do. Idea: death in reverse order of birth, as in Wilson et al. ("Dynamic Storage
// Allocation", 1995); obstacks. Good: a little above `pair`: what is asked for next is what was freed last,
// still in the cache. Bad: time that grows with the length of the runs (`run`): the allocator moves blocks
// between its layers both ways. Made to embarrass: trimming at each fall of the stack (brk or madvise at
// every low), and caches with a low limit, which overflow on the way down and are empty on the way up.
#include "workloads/common_parameters.h"
#include "workloads/size_source.h"

namespace heapmark {
namespace {

constexpr Parameter kParameters[] = {
    sizes_parameter("16..1K"),
    live_parameter("16M"),
    {"run", Kind::kCount, "2000", "", 1, 1e9, "longest run of pushes or pops"},
    threads_parameter(),
    operations_parameter("8M"),
};

constexpr Variant kVariants[] = {
    {"small-1t", kUsualPasses, "sizes=16..1K", "live=4M,operations=300000"},
    {"medium-1t", kUsualPasses, "sizes=1K..32K,run=500,operations=2M", "operations=24000"},
};

SizeSource sizes;

// `live` is the deepest that the stack becomes; it begins half as deep.
struct Lifo {
  Block* slots;
  std::uint64_t most, longest_run;
  std::uint64_t depth = 0, run_left = 0;
  bool pushing = false;

  static std::uint32_t threads(Context& context) { return threads_of(context); }
  static std::uint64_t units(Context& context, std::uint32_t threads) {
    return units_of(context, threads, 1);
  }
  void set_up(Context& context, Member& member, Team& team) {
    if (member.number() == 0) sizes.set_up(context, "sizes");
    most = slots_for_live(sizes, context.count("live") / team.threads(), 2);
    longest_run = context.count("run");
    slots = static_cast<Block*>(context.own_memory(most * sizeof(Block)));
  }
  void fill(Member& member) {
    while (depth < most / 2) slots[depth++] = member.take(sizes.draw(member.random));
  }
  void step(Member& member, std::uint64_t) {
    if (run_left == 0) {
      run_left = 1 + member.random.below(longest_run);
      pushing = member.random.below(2) == 0;
    }
    --run_left;
    if (depth == 0 || depth == most) {
      pushing = depth == 0;
    }
    if (pushing)
      slots[depth++] = member.take(sizes.draw(member.random));
    else
      member.give_back(slots[--depth]);
  }
  void finish(Member& member) {
    while (depth > 0) member.give_back(slots[--depth]);
  }
};

constexpr Workload kLifo{
    "lifo",           "the youngest block dies first: stacks that grow and shrink in runs",
    kParameters,      kVariants,
    kSteadyMetrics,   TeamOf<Lifo>::prepare,
    TeamOf<Lifo>::run};

HEAPMARK_WORKLOAD(kLifo)

}  // namespace
}  // namespace heapmark
