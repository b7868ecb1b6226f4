// Most blocks die young: a new block enters a small nursery; what it pushes out is freed, but a few in a
// hundred live on and each replaces a random old block. Old and young blocks of one size share their pages.
// Idea: the generational hypothesis (Lieberman and Hewitt 1983; Barrett and Zorn 1993 for C programs).
// Good: near the time of `pair`, resident over live below 1.2. Bad: resident memory that creeps up: a
// survivor keeps the page of the young ones that died around it, so pages become sparse.
// Made to embarrass: bump allocation and slabs that are only reused once they are empty, and allocators whose
// partial slabs are used newest first.
#include "workloads/common_parameters.h"
#include "workloads/size_source.h"

namespace heapmark {
namespace {

constexpr Parameter kParameters[] = {
    sizes_parameter("16..1K"),
    live_parameter("32M"),
    {"nursery", Kind::kCount, "512", "", 1, 1e7, "young blocks of each thread"},
    {"survivors", Kind::kShare, "0.05", "", 0, 1, "share of the young that become old"},
    threads_parameter(),
    operations_parameter("8M"),
};

constexpr Variant kVariants[] = {
    {"small-1t", kUsualPasses, "sizes=16..1K", "live=4M,operations=400000"},
};

SizeSource sizes;

struct Young {
  Block *nursery, *old;
  std::uint64_t nursery_count, old_count;
  std::uint64_t next = 0;
  double survivors;

  static std::uint32_t threads(Context& context) { return threads_of(context); }
  static std::uint64_t units(Context& context, std::uint32_t threads) {
    return units_of(context, threads, 2);
  }
  void set_up(Context& context, Member& member, Team& team) {
    if (member.number() == 0) sizes.set_up(context, "sizes");
    nursery_count = context.count("nursery");
    old_count = slots_for_live(sizes, context.count("live") / team.threads(), 1);
    survivors = context.number("survivors");
    nursery = static_cast<Block*>(context.own_memory(nursery_count * sizeof(Block)));
    old = static_cast<Block*>(context.own_memory(old_count * sizeof(Block)));
  }
  void fill(Member& member) {
    for (std::uint64_t at = 0; at < old_count; ++at) old[at] = member.take(sizes.draw(member.random));
    for (std::uint64_t at = 0; at < nursery_count; ++at) nursery[at] = member.take(sizes.draw(member.random));
  }
  void step(Member& member, std::uint64_t) {
    Block& young = nursery[next];
    next = next + 1 == nursery_count ? 0 : next + 1;
    if (member.random.chance(survivors)) {
      Block& replaced = old[member.random.below(old_count)];
      member.give_back(replaced);
      replaced = young;
    } else {
      member.give_back(young);
    }
    young = member.take(sizes.draw(member.random));
  }
  void finish(Member& member) {
    for (std::uint64_t at = 0; at < nursery_count; ++at) member.give_back(nursery[at]);
    for (std::uint64_t at = 0; at < old_count; ++at) member.give_back(old[at]);
  }
};

constexpr Workload kYoung{"young",           "most blocks die young and a few live on among them",
                          kParameters,       kVariants,
                          kSteadyMetrics,    TeamOf<Young>::prepare,
                          TeamOf<Young>::run};

HEAPMARK_WORKLOAD(kYoung)

}  // namespace
}  // namespace heapmark
