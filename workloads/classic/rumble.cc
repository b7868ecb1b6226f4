// Phases drawn at random: each has sizes, a number of live blocks and an order of death (random, oldest
// first, newest first) of its own, while what earlier phases left dies as its slots are used again. Idea:
// random phases as stress tests for allocators draw them ("Rumble" is one), since programs change what they
// do; a fixed pattern can be fitted to, phases from a seed cannot: `--seed` draws others. Good: resident over
// live near 1.3, time near that of `replace`, whatever comes. Bad: memory of the sum of all phases' peaks:
// what one phase freed does not serve the next one's sizes. Published: nothing of other allocators: a seed is
// a workload of its own, so compare several seeds. Made to embarrass: size classes that keep their pages for
// ever, and thresholds tuned to one size.
// Order here (results/classic, 1t, time, ~ within 5 %): mimalloc, tcmalloc, tbbmalloc ~ glibc ~ jemalloc,
// brkmmap, scudo.
#include "workloads/live_set.h"

namespace heapmark {
namespace {

constexpr std::uint64_t kSlots = 30000;
constexpr std::uint64_t kSmallestBytes = 16, kOctaves = 11;  // the largest size begins at 16 KiB

constexpr Parameter kParameters[] = {
    {"phases", Kind::kCount, "40", "", 1, 1e6, "drawn one after the other"},
    threads_parameter("1"),
    operations_parameter("2M"),
};

constexpr Variant kVariants[] = {{"1t", kUsualPasses, "threads=1", "operations=80000,phases=8"}};

enum class Death : std::uint8_t { kRandom, kOldest, kNewest };

struct Phase {
  std::uint64_t least_bytes, span_bytes, live;
  Death death;
};

struct Rumble {
  SlotTable set;
  std::uint64_t units_a_phase, at = 0;
  Phase phase;

  static std::uint32_t threads(Context& context) { return threads_of(context); }
  static std::uint64_t units(Context& context, std::uint32_t threads) {
    return units_of(context, threads, 2);
  }
  void set_up(Context& context, Member& member, Team& team) {
    set.set_up(context, kSlots / team.threads() + 1);
    const std::uint64_t phases = context.count("phases");
    units_a_phase = (units(context, team.threads()) + phases - 1) / phases;
    phase = draw(member.random);
  }
  // Fewer blocks where they are larger, so that no phase is all there is to be seen.
  [[nodiscard]] Phase draw(Rng& random) const {
    const std::uint64_t octave = random.below(kOctaves);
    const std::uint64_t least = kSmallestBytes << octave;
    const std::uint64_t span = least << random.below(3);
    const std::uint64_t most = (set.count >> (octave / 2)) + 1;
    return {least, span, 1 + random.below(most), static_cast<Death>(random.below(3))};
  }
  Block& next(Member& member) {
    switch (phase.death) {
      case Death::kRandom:
        return set.slots[member.random.below(phase.live)];
      case Death::kOldest:
        at = at + 1 >= phase.live ? 0 : at + 1;
        return set.slots[at];
      case Death::kNewest:
        break;
    }
    // Up and down again: the last slots are used more often than the first.
    at = at > 0 ? at - 1 : member.random.below(phase.live);
    return set.slots[at];
  }
  // What lies beyond the slots of this phase dies as the phase goes on.
  void thin_out(Member& member) {
    Block& other = set.any(member);
    if (&other >= set.slots + phase.live) member.give_back_if_any(other);
  }
  void fill(Member&) {}
  void step(Member& member, std::uint64_t unit) {
    if (unit % units_a_phase == 0) {
      phase = draw(member.random);
      at = 0;
    }
    Block& slot = next(member);
    member.give_back_if_any(slot);
    slot = member.take(phase.least_bytes + member.random.below(phase.span_bytes));
    thin_out(member);
  }
  void finish(Member& member) { set.free_all(member); }
};

constexpr Workload kRumble{"rumble",           "phases of random sizes, live sets and orders of death",
                           kParameters,        kVariants,
                           kSteadyMetrics,     TeamOf<Rumble>::prepare,
                           TeamOf<Rumble>::run};

HEAPMARK_WORKLOAD(kRumble)

}  // namespace
}  // namespace heapmark
