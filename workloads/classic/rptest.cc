// Each thread replaces bursts of a hundred among its thousand blocks; every second burst it hands to other
// threads, which free it later, and gets one that another left. Sizes fall off linearly to 16,000 bytes.
// Idea: rptest, the benchmark of rpmalloc (Jansson), as mimalloc-bench runs it: loops over a set of blocks
// of random sizes with a linear falloff, a burst of each second loop crossing to another thread.
// The original runs a thread a CPU, each a fixed number of loops; here threads share a fixed amount of work.
// Good: two to three times `replace` at these sizes. Bad: three times the best: bursts of other threads'
// frees take the lock of the heap they came from, or freed spans of 16 KiB go back to the kernel each time.
// Published order (mimalloc-bench): mimalloc, tcmalloc, TBB, jemalloc, and glibc at three times the time.
// Made to embarrass: arenas with one lock, and caches that end below 16 KiB.
// Differs in jemalloc and TBB, which are close in the original: not explained (docs/classics.md).
// Order here (results/classic, 2t, time, ~ within 5 %): tcmalloc, mimalloc, jemalloc, tbbmalloc, glibc ~
// brkmmap, scudo.
#include "workloads/hand_over.h"
#include "workloads/live_set.h"

namespace heapmark {
namespace {

constexpr std::uint64_t kLeastBytes = 8, kMostBytes = 16000, kBurst = 100;

constexpr Parameter kParameters[] = {
    {"blocks", Kind::kCount, "1000", "", kBurst, 1e7, "live blocks of each thread"},
    {"cross_every", Kind::kCount, "2", "", 1, 1e9, "one burst of so many is freed by another thread"},
    threads_parameter("4"),
    operations_parameter("2M"),
};

constexpr Variant kVariants[] = {
    {"2t", kUsualPasses, "threads=2", "operations=80000"},
    {"4t", kUsualPasses, "threads=4", "operations=80000"},
};

HandOver others;

// The lesser of two uniform draws: likelihood falls linearly to zero.
Block take(Member& member) {
  constexpr std::uint64_t kSizes = kMostBytes - kLeastBytes + 1;
  const std::uint64_t one = member.random.below(kSizes), other = member.random.below(kSizes);
  return member.take(kLeastBytes + (one < other ? one : other));
}

struct RpTest {
  SlotTable set;
  Block burst[kBurst];
  std::uint64_t cross_every, next_place;

  static std::uint32_t threads(Context& context) { return threads_of(context); }
  static std::uint64_t units(Context& context, std::uint32_t threads) {
    return units_of(context, threads, 2 * kBurst);
  }
  void set_up(Context& context, Member& member, Team& team) {
    set.set_up(context, context.count("blocks"));
    cross_every = context.count("cross_every");
    next_place = 2 * std::uint64_t{member.number()};
    if (member.number() == 0) others.set_up(context, 2 * std::uint64_t{team.threads()}, kBurst);
  }
  void fill(Member& member) {
    set.fill(member, take);
    if (member.number() == 0) others.fill(member, take);
  }
  void step(Member& member, std::uint64_t unit) {
    const std::uint64_t first = member.random.below(set.count - kBurst + 1);
    for (std::uint64_t at = 0; at < kBurst; ++at) burst[at] = set.slots[first + at];
    if (unit % cross_every == 0) others.exchange(burst, next_place);
    for (Block& block : burst) member.give_back(block);
    for (std::uint64_t at = 0; at < kBurst; ++at) set.slots[first + at] = take(member);
  }
  void finish(Member& member) {
    set.free_all(member);
    if (member.number() == 0) others.free_all(member);
  }
};

constexpr Workload kRpTest{
    "rptest",           "bursts of random sizes, every second one freed by another thread",
    kParameters,        kVariants,
    kSteadyMetrics,     TeamOf<RpTest>::prepare,
    TeamOf<RpTest>::run};

HEAPMARK_WORKLOAD(kRpTest)

}  // namespace
}  // namespace heapmark
