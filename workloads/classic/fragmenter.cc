// Asks for blocks of one size up to a level, frees all but each sixteenth, so that nearly no page becomes
// empty, then goes on with the next size, for which the holes do not serve. Idea: the regular allocation
// pattern of Powers et al. ("Mesh: Compacting Memory Management for C/C++ Applications", PLDI 2019,
// section 6.3): each size class in turn is filled and left sparse. Good: `rss_over_live_mean` of 2 to 4:
// emptied pages are returned or serve the next size. Bad: 8 and above: a page is held by one block of 16
// bytes. Published: without meshing, jemalloc and glibc hold several times what Mesh does. Made to embarrass:
// every allocator that cannot move blocks or merge pages, slabs of many pages most.
// Order here (results/classic, 16B-1K, time, ~ within 5 %): mimalloc, tcmalloc, jemalloc, tbbmalloc ~
// brkmmap, scudo, glibc.
#include "workloads/common_parameters.h"

namespace heapmark {
namespace {

constexpr Parameter kParameters[] = {
    live_parameter("32M"),
    {"kept_of", Kind::kCount, "16", "", 1, 1e6, "one block of so many stays"},
    {"first", Kind::kCount, "16", "", 8, 1 << 20, "smallest size, in bytes"},
    {"doublings", Kind::kCount, "6", "", 1, 16, "sizes, each twice as large as the one before"},
    {"repeats", Kind::kCount, "6", "", 1, 1e6, "of all sizes, everything freed in between"},
};

constexpr Variant kVariants[] = {{"16B-1K", kUsualPasses, "", "live=4M,repeats=1"}};

// `live` is what one size holds before it is thinned out.
struct Fragmenter {
  Block* kept;
  Block* blocks;
  std::uint64_t kept_count = 0, kept_of, first, level, doublings;
  Team* team;

  static std::uint32_t threads(Context&) { return 1; }
  static std::uint64_t units(Context& context, std::uint32_t) {
    return context.count("repeats") * (context.count("doublings") + 1);
  }
  void set_up(Context& context, Member&, Team& own_team) {
    team = &own_team;
    kept_of = context.count("kept_of");
    first = context.count("first");
    level = context.count("live");
    doublings = context.count("doublings");
    const std::uint64_t most = level / first + 1;
    blocks = static_cast<Block*>(context.own_memory(most * sizeof(Block)));
    kept = static_cast<Block*>(context.own_memory((2 * most / kept_of + doublings + 2) * sizeof(Block)));
  }
  void fill(Member&) {}
  void step(Member& member, std::uint64_t unit) {
    const std::uint64_t round = unit % (doublings + 1), bytes = first << round, count = level / bytes;
    for (std::uint64_t at = 0; at < count; ++at) blocks[at] = member.take(bytes);
    for (std::uint64_t at = 0; at < count; ++at)
      if (at % kept_of == 0)
        kept[kept_count++] = blocks[at];
      else
        member.give_back(blocks[at]);
    team->sample(member);
    if (round == doublings) finish(member);
  }
  void finish(Member& member) {
    while (kept_count > 0) member.give_back(kept[--kept_count]);
  }
};

constexpr Workload kFragmenter{"fragmenter",
                               "each size is filled and left sparse before the next one comes",
                               kParameters,
                               kVariants,
                               kSteadyMetrics,
                               TeamOf<Fragmenter>::prepare,
                               TeamOf<Fragmenter>::run};

HEAPMARK_WORKLOAD(kFragmenter)

}  // namespace
}  // namespace heapmark
