// Threads that allocate a little, free it, and end, again and again: what does the end of a thread leave?
// Idea: mleak of mimalloc-bench, after a leak of thread-local data in an early version of mimalloc.
// Good: resident memory flat from the first threads on; most of the time is the kernel's (clone(2)). Bad:
// bytes that add up with each thread, or twice the time: heaps that are set up and torn down with each
// thread. Published order (mimalloc-bench): glibc, tcmalloc and TBB level, jemalloc and mimalloc with twice
// the time. Made to embarrass: heaps of threads with costly first calls and ends, and thread data that is
// never freed.
// Differs in jemalloc: its threads fault in their memory anew, and do less work here (docs/classics.md).
// Order here (results/classic, 2t, time, ~ within 5 %): glibc, tbbmalloc ~ tcmalloc, scudo, mimalloc ~
// brkmmap, jemalloc.
#include "workloads/common_parameters.h"
#include "workloads/size_source.h"
#include "workloads/thread_wave.h"

namespace heapmark {
namespace {

constexpr std::uint64_t kMostBlocks = 4096;

constexpr Parameter kParameters[] = {
    sizes_parameter("16..4K"),
    {"blocks", Kind::kCount, "50", "", 1, kMostBlocks, "taken and freed by each thread"},
    {"waves", Kind::kCount, "3000", "", 1, 1e9, "of threads, one after the other"},
    threads_parameter("2"),
};

constexpr Variant kVariants[] = {{"2t", kUsualPasses, "threads=2", "waves=150"}};

SizeSource sizes;

struct Job {
  Block* blocks;
  std::uint64_t count;
};

void work(Member& member, void* argument) {
  const Job& job = *static_cast<Job*>(argument);
  for (std::uint64_t at = 0; at < job.count; ++at) job.blocks[at] = member.take(sizes.draw(member.random));
  for (std::uint64_t at = 0; at < job.count; ++at) member.give_back(job.blocks[at]);
}

struct MLeak {
  Job* jobs;
  ThreadWave wave;

  static std::uint32_t threads(Context&) { return 1; }
  static std::uint32_t threads_at_once(Context& context) { return threads_of(context); }
  static std::uint64_t units(Context& context, std::uint32_t) { return context.count("waves"); }
  void set_up(Context& context, Member&, Team&) {
    const std::uint32_t at_once = threads_of(context);
    const std::uint64_t blocks = context.count("blocks");
    sizes.set_up(context, "sizes");
    wave.set_up(context, at_once);
    jobs = static_cast<Job*>(context.own_memory(at_once * sizeof(Job)));
    for (std::uint32_t at = 0; at < at_once; ++at)
      jobs[at] = {static_cast<Block*>(context.own_memory(blocks * sizeof(Block))), blocks};
  }
  void fill(Member&) {}
  void step(Member& member, std::uint64_t) { wave.run(member, work, jobs, sizeof(Job)); }
  void finish(Member&) {}
};

constexpr Workload kMLeak{"mleak",           "threads that allocate, free and end, again and again",
                          kParameters,       kVariants,
                          kSteadyMetrics,    TeamOf<MLeak>::prepare,
                          TeamOf<MLeak>::run};

HEAPMARK_WORKLOAD(kMLeak)

}  // namespace
}  // namespace heapmark
