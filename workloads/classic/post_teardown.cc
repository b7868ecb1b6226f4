// Threads that free their blocks after the allocator's own clean-up for the thread has run: in the last of
// the rounds in which the C library calls the destructors of thread data. Global and thread-local destructors
// of large programs do so. Idea: snmalloc's post-teardown test, after its issue 809 (2026): a program that
// seemed to hang at its end, since each free after the clean-up set the thread's heap up and tore it down
// again. Good: the time a call is that of `batch`; resident memory flat over the waves. Bad: a hundred times
// that, or bytes left behind by each thread: a heap that was set up once more and is never given back.
// Published: the fix backs off from a clean-up after each call where a thread goes on calling.
// Made to embarrass: heaps of threads whose clean-up is a destructor of thread data (tcmalloc, jemalloc,
// mimalloc, snmalloc); glibc's cache is cleaned after all destructors.
// Order here (results/classic, 2t, time, ~ within 5 %): tcmalloc ~ tbbmalloc, glibc ~ mimalloc, scudo ~
// jemalloc, brkmmap.
#include <limits.h>
#include <pthread.h>

#include "workloads/common_parameters.h"
#include "workloads/size_source.h"
#include "workloads/thread_wave.h"

namespace heapmark {
namespace {

constexpr Parameter kParameters[] = {
    sizes_parameter("16..1K"),
    {"blocks", Kind::kCount, "2000", "", 1, 1e7, "that each thread frees after the clean-up"},
    {"waves", Kind::kCount, "400", "", 1, 1e9, "of threads, one after the other"},
    threads_parameter("2"),
};

constexpr Variant kVariants[] = {{"2t", kUsualPasses, "threads=2", "waves=30"}};

SizeSource sizes;
pthread_key_t key;

struct Job {
  Team* team;
  ThreadWave* wave;
  Block* blocks;
  std::uint64_t count;
  Member* member;
  int round;
};

// Puts itself off to the last round: by then every other destructor has run at least once.
void free_late(void* argument) {
  Job& job = *static_cast<Job*>(argument);
  if (++job.round < PTHREAD_DESTRUCTOR_ITERATIONS && pthread_setspecific(key, &job) == 0) return;
  for (std::uint64_t at = 0; at < job.count; ++at) job.member->give_back(job.blocks[at]);
}

void work(Member& member, void* argument) {
  Job& job = *static_cast<Job*>(argument);
  job.member = &member;
  job.round = 0;
  if (pthread_setspecific(key, &job) != 0)
    member.context().fail(Outcome::kRefused, "the C library refused thread data");
  for (std::uint64_t at = 0; at < job.count; ++at) job.blocks[at] = member.take(sizes.draw(member.random));
  job.wave->sample(*job.team, member);
}

struct PostTeardown {
  Job* jobs;
  ThreadWave wave;

  static std::uint32_t threads(Context&) { return 1; }
  static std::uint32_t threads_at_once(Context& context) { return threads_of(context); }
  static std::uint64_t units(Context& context, std::uint32_t) { return context.count("waves"); }
  void set_up(Context& context, Member&, Team& team) {
    const std::uint32_t at_once = threads_of(context);
    const std::uint64_t blocks = context.count("blocks");
    sizes.set_up(context, "sizes");
    if (pthread_key_create(&key, free_late) != 0)
      context.fail(Outcome::kRefused, "the C library refused a key of thread data");
    wave.set_up(context, at_once);
    jobs = static_cast<Job*>(context.own_memory(at_once * sizeof(Job)));
    for (std::uint32_t at = 0; at < at_once; ++at)
      jobs[at] = {&team,  &wave,   static_cast<Block*>(context.own_memory(blocks * sizeof(Block))),
                  blocks, nullptr, 0};
  }
  void fill(Member&) {}
  void step(Member& member, std::uint64_t) { wave.run(member, work, jobs, sizeof(Job)); }
  void finish(Member&) {}
};

constexpr Workload kPostTeardown{"post-teardown",
                                 "threads that free after the allocator's clean-up",
                                 kParameters,
                                 kVariants,
                                 kSteadyMetrics,
                                 TeamOf<PostTeardown>::prepare,
                                 TeamOf<PostTeardown>::run};

HEAPMARK_WORKLOAD(kPostTeardown)

}  // namespace
}  // namespace heapmark
