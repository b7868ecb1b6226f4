// Robson's adversary, blind to addresses: rounds of ever larger blocks. Each round asks for blocks of twice
// the last size until the live bytes reach their bound, then keeps every second block and frees the rest:
// where blocks lie in the order in which they came, no hole is as large as a block of the next round. Idea:
// Robson ("Worst Case Fragmentation of First Fit and Best Fit Storage Allocation Strategies", 1977): for live
// bytes M of sizes up to n an allocator that does not move blocks may need about M log2(n) / 2. His adversary
// looks at addresses; this one does the same on every allocator. Good: `rss_over_live_peak` near 2: what is
// freed is returned page by page. Bad: towards half the rounds. Made to embarrass: heaps that neither return
// holes nor hold sizes apart.
// Order here (results/classic, 16B-64K, time, ~ within 5 %): mimalloc, tcmalloc, jemalloc, glibc ~ tbbmalloc,
// brkmmap, scudo.
#include "workloads/common_parameters.h"

namespace heapmark {
namespace {

constexpr std::uint64_t kFirstBytes = 16;

constexpr Parameter kParameters[] = {
    live_parameter("16M"),
    {"doublings", Kind::kCount, "12", "", 1, 24, "sizes: 16 bytes, and twice as many each further round"},
    {"repeats", Kind::kCount, "6", "", 1, 1e6, "of all rounds, everything freed in between"},
};

constexpr Variant kVariants[] = {{"16B-64K", kUsualPasses, "", "live=4M,repeats=1"}};

struct Robson {
  Block* blocks;
  std::uint64_t most, used = 0, live = 0, bound, doublings;
  Team* team;

  static std::uint32_t threads(Context&) { return 1; }
  static std::uint64_t units(Context& context, std::uint32_t) {
    return context.count("repeats") * (context.count("doublings") + 1);
  }
  void set_up(Context& context, Member&, Team& own_team) {
    team = &own_team;
    bound = context.count("live");
    doublings = context.count("doublings");
    most = bound / kFirstBytes + 1;
    blocks = static_cast<Block*>(context.own_memory(most * sizeof(Block)));
  }
  void fill(Member&) {}

  void keep_every_second(Member& member) {
    std::uint64_t kept = 0;
    for (std::uint64_t at = 0; at < used; ++at) {
      if (at % 2 == 0) {
        blocks[kept++] = blocks[at];
        continue;
      }
      live -= blocks[at].bytes;
      member.give_back(blocks[at]);
    }
    used = kept;
  }
  void step(Member& member, std::uint64_t unit) {
    const std::uint64_t round = unit % (doublings + 1), bytes = kFirstBytes << round;
    while (live + bytes <= bound && used < most) {
      blocks[used++] = member.take(bytes);
      live += bytes;
    }
    team->sample(member);
    if (round == doublings)
      finish(member);
    else
      keep_every_second(member);
  }
  void finish(Member& member) {
    while (used > 0) member.give_back(blocks[--used]);
    live = 0;
  }
};

constexpr Workload kRobson{"robson",           "sizes that double while every second block stays",
                           kParameters,        kVariants,
                           kSteadyMetrics,     TeamOf<Robson>::prepare,
                           TeamOf<Robson>::run};

HEAPMARK_WORKLOAD(kRobson)

}  // namespace
}  // namespace heapmark
