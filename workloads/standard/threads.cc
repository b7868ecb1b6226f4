// Threads that come and go: a thread pool that is made anew for each request. Each thread asks for blocks of
// all sizes, hands some to the next and frees the rest; what its end leaves behind in caches and arenas adds
// up. Watch whether resident memory stays flat.
#include "workloads/threads.h"

#include <pthread.h>

#include "workloads/blocks.h"
#include "workloads/context.h"
#include "workloads/fragmentation.h"
#include "workloads/rng.h"
#include "workloads/size_distribution.h"

namespace heapmark {
namespace {

constexpr std::uint32_t kMostAtOnce = 1024;
constexpr std::uint64_t kBlocks = 64, kHandedOver = 8;
constexpr std::uint64_t kSamples = 200;

constexpr Parameter kParameters[] = {
    {"threads", Kind::kCount, "10000", "", 1, 1e9, "threads created and ended"},
    {"at_once", Kind::kCount, "4", "", 1, kMostAtOnce, "threads that live at one time"},
};

constexpr unsigned kPasses = kSpeed | kMemory | kLedger | kLatency;
constexpr Variant kVariants[] = {{"come-and-go", kPasses, "", "threads=300", "threads=2000", "threads=2000"}};

constexpr MetricInfo kMetrics[] = {
    {"rss_growth_per_thread", "bytes", Better::kLower, kMemory, true,
     "growth of resident memory a thread, after the first fifth (least squares)"},
    {"rss_after_free_bytes", "bytes", Better::kLower, kMemory, true,
     "resident above the start once all threads are gone and everything is freed"},
};

struct Block {
  void* memory;
  std::uint64_t bytes;
};

struct Job {
  std::uint64_t number, seed;
  Block handed[kHandedOver];  // from the last thread in this place: this one frees them
};

std::uint32_t at_once;
Job* jobs;
char* stacks;
HeapSample* samples;
std::uint64_t sample_count;

void prepare(Context& context) {
  at_once = static_cast<std::uint32_t>(context.count("at_once"));
  context.uses_threads(at_once);
  jobs = static_cast<Job*>(context.own_memory(sizeof(Job) * at_once));
  stacks = static_cast<char*>(context.own_memory(kThreadStackBytes * at_once));
  samples = static_cast<HeapSample*>(context.own_memory((kSamples + 1) * sizeof(HeapSample)));
}

void* work(void* argument) {
  Job& job = *static_cast<Job*>(argument);
  Rng random(job.seed, job.number);
  Block blocks[kBlocks];
  for (Block& block : blocks) {
    const std::uint64_t bytes = draw_size({octave(4), octave(16)}, random);
    block = {ask(bytes), bytes};
    if (block.memory != nullptr) touch_pages(block.memory, bytes);
  }
  for (std::uint64_t at = 0; at < kBlocks; ++at) {
    if (at < kHandedOver) {
      free_block(job.handed[at].memory, job.handed[at].bytes);
      job.handed[at] = blocks[at];
    } else {
      free_block(blocks[at].memory, blocks[at].bytes);
    }
  }
  return nullptr;
}

void run(Context& context) {
  const std::uint64_t threads = context.count("threads");
  const std::uint64_t every = threads / at_once / kSamples + 1;
  const std::uint64_t groups = (threads + at_once - 1) / at_once;
  context.start_clock(groups);
  std::uint64_t started = 0;
  for (std::uint64_t group = 0; started < threads; ++group) {
    context.slice(group);  // none of the threads lives now
    pthread_t running[kMostAtOnce];
    std::uint32_t count = 0;
    for (; count < at_once && started < threads; ++count) {
      jobs[count].number = started++;
      jobs[count].seed = context.seed();
      if (!start_thread(&running[count], stacks + count * kThreadStackBytes, work, &jobs[count]))
        context.fail(Outcome::kRefused, "a thread could not be started");
    }
    for (std::uint32_t at = 0; at < count; ++at) pthread_join(running[at], nullptr);
    if (!context.sampling() || group % every != 0 || sample_count > kSamples) continue;
    const Observation now = context.sample(started * kBlocks * 2);
    samples[sample_count++] = {static_cast<double>(started), 0, static_cast<double>(now.rss_bytes)};
  }
  for (std::uint32_t at = 0; at < at_once; ++at)
    for (Block& block : jobs[at].handed) {
      free_block(block.memory, block.bytes);
      block = {};
    }
  context.stop_clock(groups, threads * kBlocks * 2);
  if (context.pass() != kMemory) return;
  const std::uint64_t first = sample_count / 5;
  context.metric("rss_growth_per_thread",
                 growth_per_million_operations(samples + first, sample_count - first) / 1e6);
  context.metric("rss_after_free_bytes", static_cast<double>(context.observe().rss_bytes));
}

constexpr Workload kThreads{"threads",   "threads that are created, allocate and end, thousands of them",
                            kParameters, kVariants,
                            kMetrics,    prepare,
                            run};

HEAPMARK_WORKLOAD(kThreads)

}  // namespace
}  // namespace heapmark
