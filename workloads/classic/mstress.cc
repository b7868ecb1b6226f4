// Waves of threads that allocate in uneven amounts, keep some blocks, free some, and exchange others with
// whatever thread comes by, through a table that all share; the table outlives the waves, what else a thread
// has it frees at its end. Idea: mstress of mimalloc's tests (Leijen 2019): sizes halve in likelihood from
// one class to the next, a few blocks are a hundred times as large, threads do different amounts of work,
// blocks move between threads. Good: time near that of `replace` on threads, resident memory flat over the
// waves. Bad: growth with each wave. Published order (mimalloc-bench): mimalloc, TBB and tcmalloc close
// together, then glibc, jemalloc. Made to embarrass: heaps of ended threads with live blocks, and frees by
// other threads in large numbers.
// Differs in TBB, which has twice the page faults of glibc, and they are dear here (docs/classics.md).
// Order here (results/classic, 2t, time, ~ within 5 %): tcmalloc ~ mimalloc, brkmmap, glibc, tbbmalloc,
// jemalloc, scudo.
#include <utility>

#include "workloads/common_parameters.h"
#include "workloads/drawn_sizes.h"
#include "workloads/thread_wave.h"

namespace heapmark {
namespace {

constexpr std::uint64_t kShared = 1000, kKept = 2000, kClasses = 12;

constexpr Parameter kParameters[] = {
    {"large", Kind::kShare, "0.005", "", 0, 1, "share of blocks that are a hundred times as large"},
    {"waves", Kind::kCount, "60", "", 1, 1e9, "of threads"},
    {"calls", Kind::kCount, "20000", "", 1, 1e9,
     "steps of the first thread of a wave; each further one does "
     "a half more"},
    threads_parameter("4"),
};

constexpr Variant kVariants[] = {
    {"2t", kUsualPasses, "threads=2", "waves=6,calls=5000"},
    {"4t", kUsualPasses, "threads=4", "waves=6,calls=5000"},
};

// Each entry points to its row of the table; null while a thread exchanges there.
std::atomic<Block*> shared[kShared];
double large_share;

struct Worker {
  Team* team;
  ThreadWave* wave;
  Block* kept;  // kKept slots, empty where a thread begins
  std::uint64_t steps;
};

std::uint64_t draw(Rng& random) {
  const std::uint64_t bytes = (8 + random.below(8)) << draw_halving(kClasses - 4, random);
  return random.chance(large_share) ? bytes * 100 : bytes;
}

void work(Member& member, void* argument) {
  Worker& worker = *static_cast<Worker*>(argument);
  Rng& random = member.random;
  for (std::uint64_t at = 0; at < worker.steps; ++at) {
    Block& slot = worker.kept[random.below(kKept)];
    const std::uint64_t size = draw(random);
    const bool exchanges = random.below(4) == 0;
    const std::uint64_t place = random.below(kShared);
    member.give_back_if_any(slot);
    slot = member.take(size);
    if (!exchanges) continue;
    // The slot takes what lay there: each exchange leaves as many live blocks as before.
    Block* const own = shared[place].exchange(nullptr, std::memory_order_acq_rel);
    if (own == nullptr) continue;  // another thread exchanges there now
    std::swap(*own, slot);
    shared[place].store(own, std::memory_order_release);
  }
  worker.wave->sample(*worker.team, member);
  for (std::uint64_t slot = 0; slot < kKept; ++slot) member.give_back_if_any(worker.kept[slot]);
}

struct MStress {
  Worker* workers;
  Block* table;
  ThreadWave wave;

  static std::uint32_t threads(Context&) { return 1; }
  static std::uint32_t threads_at_once(Context& context) { return threads_of(context); }
  static std::uint64_t units(Context& context, std::uint32_t) { return context.count("waves"); }

  void set_up(Context& context, Member&, Team& team) {
    const std::uint32_t at_once = threads_of(context);
    large_share = context.number("large");
    wave.set_up(context, at_once);
    workers = static_cast<Worker*>(context.own_memory(at_once * sizeof(Worker)));
    table = static_cast<Block*>(context.own_memory(kShared * sizeof(Block)));
    for (std::uint32_t at = 0; at < at_once; ++at)
      workers[at] = {&team, &wave, static_cast<Block*>(context.own_memory(kKept * sizeof(Block))),
                     context.count("calls") * (2 + at) / 2};
  }
  void fill(Member& member) {
    for (std::uint64_t place = 0; place < kShared; ++place) {
      table[place] = member.take(draw(member.random));
      shared[place].store(&table[place]);
    }
  }
  void step(Member& member, std::uint64_t) { wave.run(member, work, workers, sizeof(Worker)); }
  void finish(Member& member) {
    for (std::uint64_t place = 0; place < kShared; ++place) member.give_back(table[place]);
  }
};

constexpr Workload kMStress{
    "mstress",           "waves of uneven threads that exchange blocks with one another",
    kParameters,         kVariants,
    kSteadyMetrics,      TeamOf<MStress>::prepare,
    TeamOf<MStress>::run};

HEAPMARK_WORKLOAD(kMStress)

}  // namespace
}  // namespace heapmark
