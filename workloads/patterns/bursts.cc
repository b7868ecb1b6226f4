// Fills up to a level, empties again, and rests: a request that needs much memory for a moment, a nightly job
// in a server. Once full, blocks are freed in random order, but a few (`kept`) stay until the next burst.
// Idea: reports of servers whose memory never goes down after a peak; decay times and trim thresholds exist
// for this.
// Good: resident memory at rest close to what is live then, with times within a fifth of the fastest. Bad:
// the peak stands for ever, or each burst faults in every page anew and takes twice as long.
// Made to embarrass: returning only from the top of the heap (one kept block holds everything below it), and
// decay that only runs when somebody calls malloc. The rest is left out of the speed pass.
#include <time.h>

#include <utility>

#include "workloads/common_parameters.h"
#include "workloads/size_source.h"

namespace heapmark {
namespace {

constexpr Parameter kParameters[] = {
    sizes_parameter("16..32K"),
    live_parameter("64M"),
    {"bursts", Kind::kCount, "30", "", 1, 1e9, "times that the heap fills and empties"},
    {"kept", Kind::kShare, "0.01", "", 0, 1, "share of a burst's blocks that live until the next has come"},
    {"rest_ms", Kind::kCount, "50", "", 0, 600000, "rest after each burst, in the memory and ledger passes"},
    threads_parameter(),
};

constexpr Variant kVariants[] = {
    {"mixed-1t", kUsualPasses, "sizes=16..32K", "live=6M,bursts=8,rest_ms=5"},
    {"small-4t", kUsualPasses, "sizes=16..1K,threads=4", "live=3M,bursts=8,rest_ms=5"},
};

constexpr MetricInfo kOwnMetrics[] = {
    {"rss_at_rest_mean", "bytes", Better::kLower, kMemory, true,
     "resident above the start after each rest, mean of the second half of the bursts"},
};
constexpr auto kMetrics = with_steady_metrics(kOwnMetrics);

SizeSource sizes;

struct Bursts {
  Block *now, *kept_blocks;
  std::uint64_t count, kept_count = 0, kept_most;
  std::uint64_t bursts, rest_ms;
  double rest_sum = 0;
  std::uint64_t rests = 0;
  Team* team;

  static std::uint32_t threads(Context& context) { return threads_of(context); }
  static std::uint64_t units(Context& context, std::uint32_t) { return context.count("bursts"); }

  void set_up(Context& context, Member& member, Team& own_team) {
    if (member.number() == 0) sizes.set_up(context, "sizes");
    team = &own_team;
    count = slots_for_live(sizes, context.count("live") / own_team.threads(), 1);
    kept_most = static_cast<std::uint64_t>(context.number("kept") * static_cast<double>(count));
    bursts = context.count("bursts");
    rest_ms = context.pass() == kSpeed || context.pass() == kPressure ? 0 : context.count("rest_ms");
    now = static_cast<Block*>(context.own_memory(count * sizeof(Block)));
    kept_blocks = static_cast<Block*>(context.own_memory((kept_most + 1) * sizeof(Block)));
  }
  void fill(Member&) {}
  void step(Member& member, std::uint64_t burst) {
    for (std::uint64_t at = 0; at < count; ++at) now[at] = member.take(sizes.draw(member.random));
    team->sample(member);
    free_kept(member);
    for (std::uint64_t left = count; left > 0; --left) {
      std::swap(now[left - 1], now[member.random.below(left)]);
      if (left <= kept_most)
        kept_blocks[kept_count++] = now[left - 1];
      else
        member.give_back(now[left - 1]);
    }
    rest(member, burst);
  }
  void rest(Member& member, std::uint64_t burst) {
    timespec left{static_cast<time_t>(rest_ms / 1000), static_cast<long>(rest_ms % 1000) * 1'000'000};
    while (rest_ms != 0 && nanosleep(&left, &left) != 0) {
    }
    if (member.number() != 0 || !member.context().sampling() || burst < bursts / 2) return;
    rest_sum += static_cast<double>(member.context().observe().rss_bytes);
    ++rests;
  }
  void free_kept(Member& member) {
    while (kept_count > 0) member.give_back(kept_blocks[--kept_count]);
  }
  void finish(Member& member) {
    free_kept(member);
    if (member.number() == 0 && member.context().pass() == kMemory)
      member.context().metric("rss_at_rest_mean",
                              rests == 0 ? kNotMeasured : rest_sum / static_cast<double>(rests));
  }
};

constexpr Workload kBursts{"bursts",           "a heap that fills, empties and rests, again and again",
                           kParameters,        kVariants,
                           kMetrics.rows,      TeamOf<Bursts>::prepare,
                           TeamOf<Bursts>::run};

HEAPMARK_WORKLOAD(kBursts)

}  // namespace
}  // namespace heapmark
