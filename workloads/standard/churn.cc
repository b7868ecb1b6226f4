// The long-running server: fills up to a level of live bytes, then asks and frees at random around that level
// while the mix of sizes drifts, which is what fragments heaps; at the end frees everything and is idle for a
// second. Watch resident memory over live bytes along time, its growth, and what is still held at the end.
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <new>

#include "workloads/context.h"
#include "workloads/cut_point.h"
#include "workloads/fragmentation.h"
#include "workloads/standard/churn_thread.h"
#include "workloads/threads.h"

namespace heapmark {
namespace {

using churn::Mailbox;
using churn::Settings;
using churn::Worker;

constexpr std::uint32_t kMaxThreads = 64;
constexpr std::uint32_t kMaxPhases = 64;
static_assert(kMaxPhases + 3 <= kMaxPhaseNames);  // fill, the drifting ones, free all, idle
constexpr std::uint64_t kSamples = 400;

constexpr Parameter kParameters[] = {
    {"live", Kind::kBytes, "64M", "", 64 * 1024, 1e12, "live bytes aimed at, all threads together"},
    {"sizes", Kind::kSizes, "mixed", "mixed|small|large", 0, 0,
     "mixed: 16..64K, small: 16..1K, large: 16K..1M; or one size, a range or a histogram file"},
    {"threads", Kind::kCount, "1", "", 1, kMaxThreads, "threads, each with its share of the live bytes"},
    {"remote_free_share", Kind::kShare, "0.75", "", 0, 1,
     "share of frees done by another thread, where there is one"},
    {"phases", Kind::kCount, "4", "", 1, kMaxPhases,
     "phases of the drifting mix: half of the sizes come from a moving window"},
    {"operations", Kind::kCount, "2000000", "", 1000, 1e12,
     "requests and frees after the fill, all threads together"},
    {"idle_ms", Kind::kCount, "1000", "", 0, 600000, "idle time at the end, in the memory and ledger passes"},
};

constexpr unsigned kPasses = kSpeed | kMemory | kLedger | kLatency | kPressure;
constexpr const char* kQuickSmall = "live=16M,operations=500000,idle_ms=100";
constexpr const char* kQuickMixed = "live=48M,operations=200000,idle_ms=100";
constexpr Variant kVariants[] = {
    {"small-1t", kPasses, "sizes=small,live=48M,operations=1500000,threads=1", kQuickSmall, "",
     "operations=500000"},
    {"small-4t", kPasses, "sizes=small,live=48M,operations=1500000,threads=4", kQuickSmall, "",
     "operations=500000"},
    {"mixed-1t", kPasses, "sizes=mixed,live=192M,operations=400000,threads=1", kQuickMixed,
     "operations=100000", "operations=200000"},
    {"mixed-4t", kPasses, "sizes=mixed,live=192M,operations=400000,threads=4", kQuickMixed,
     "operations=100000", "operations=200000"},
};

constexpr MetricInfo kMetrics[] = {
    {"rss_over_live_mean", "ratio", Better::kLower, kMemory, true,
     "resident over live bytes, mean of the second half: what a live byte costs"},
    {"fragmentation_f1", "ratio", Better::kLower, kMemory, false,
     "resident over live bytes, mean of all samples (Johnstone and Wilson)"},
    {"fragmentation_f2", "ratio", Better::kLower, kMemory, false, "the same at most live bytes"},
    {"fragmentation_f3", "ratio", Better::kLower, kMemory, false, "the same at most resident memory"},
    {"fragmentation_f4", "ratio", Better::kLower, kMemory, false,
     "most resident memory over most live bytes"},
    {"rss_growth_bytes", "bytes", Better::kNeither, kMemory, false,
     "growth of resident memory per million operations in the second half (least squares)"},
    {"rss_after_free_bytes", "bytes", Better::kLower, kMemory, true,
     "resident above the start once everything is freed"},
    {"rss_after_idle_bytes", "bytes", Better::kLower, kMemory, true, "the same after the idle time"},
};

Settings settings;
Worker* workers;
char* stacks;
churn::SampleLog sample_log;
std::atomic<std::uint32_t> arrived, step;
CutPoint cut_point;

// Slots for twice as many blocks as the live bytes can be at the smallest mean size that a phase has.
std::uint64_t slots_for(double smallest_mean) {
  return static_cast<std::uint64_t>(2 * static_cast<double>(settings.live_bytes) / smallest_mean) + 64;
}

// Half of the sizes come from the whole range, whose mean is (high - low) / ln(high / low).
void choose_octaves(std::uint32_t low_exponent, std::uint32_t high_exponent) {
  const auto low = static_cast<double>(std::uint64_t{1} << low_exponent);
  const auto high = static_cast<double>(std::uint64_t{1} << high_exponent);
  const auto octaves = static_cast<double>(high_exponent - low_exponent);
  settings.sizes = SizeSource({octave(low_exponent), octave(high_exponent)});
  settings.slots = slots_for((high - low) / (octaves * 0.6931) / 2);
}

void choose_sizes(Context& context) {
  if (context.chosen("sizes", "small")) return choose_octaves(4, 10);
  if (context.chosen("sizes", "large")) return choose_octaves(14, 20);
  if (context.chosen("sizes", "mixed")) return choose_octaves(4, 16);
  settings.sizes.set_up(context, "sizes");
  settings.slots = slots_for(static_cast<double>(settings.sizes.mean_bytes()) / 2);
}

void prepare(Context& context) {
  settings.threads = static_cast<std::uint32_t>(context.count("threads"));
  context.uses_threads(settings.threads);
  cut_point.set_threads(settings.threads);
  settings.live_bytes = context.count("live") / settings.threads;
  choose_sizes(context);
  settings.operations = context.count("operations") / settings.threads;
  settings.phases = static_cast<std::uint32_t>(context.count("phases"));
  settings.remote_free_share = context.number("remote_free_share");
  settings.sample_every = context.sampling() ? settings.operations / kSamples + 1 : 0;
  if (context.sampling()) {
    sample_log = {static_cast<HeapSample*>(context.own_memory(sizeof(HeapSample) * (kSamples + 1))), 0,
                  kSamples + 1};
    settings.log = &sample_log;
  }
  workers = static_cast<Worker*>(context.own_memory(sizeof(Worker) * settings.threads));
  stacks = static_cast<char*>(context.own_memory(kThreadStackBytes * settings.threads));
  Mailbox* boxes = nullptr;
  if (settings.threads > 1)
    boxes = static_cast<Mailbox*>(context.own_memory(sizeof(Mailbox) * settings.threads));
  for (std::uint32_t at = 0; at < settings.threads; ++at) {
    new (&workers[at]) Worker();
    auto* slots = static_cast<Block*>(context.own_memory(sizeof(Block) * settings.slots));
    Mailbox* incoming = boxes == nullptr ? nullptr : new (&boxes[at]) Mailbox();
    Mailbox* outgoing = boxes == nullptr ? nullptr : &boxes[(at + 1) % settings.threads];
    workers[at].set_up(context, settings, at, slots, incoming, outgoing);
  }
}

enum class Waiting : std::uint8_t { kDraining, kAsleep };

// All threads, the first among them, meet here; none goes on before all have come. Who waits goes on freeing
// what is handed over: a thread that has not come yet may wait for room in the mailbox. Where the first
// thread may be waiting for its process's turn, the others sleep.
void meet(Worker& worker, Waiting waiting) {
  const std::uint32_t now = step.load();
  if (arrived.fetch_add(1) + 1 == settings.threads) {
    arrived.store(0);
    step.store(now + 1);
    syscall(SYS_futex, &step, FUTEX_WAKE_PRIVATE, 1 << 30, nullptr, nullptr, 0);
    return;
  }
  while (step.load() == now) {
    if (waiting == Waiting::kAsleep) {
      syscall(SYS_futex, &step, FUTEX_WAIT_PRIVATE, now, nullptr, nullptr, 0);
      continue;
    }
    worker.drain();
    sched_yield();
  }
}

void* run_thread(void* argument) {
  Worker& worker = *static_cast<Worker*>(argument);
  worker.fill();
  meet(worker, Waiting::kDraining);  // filled
  meet(worker, Waiting::kAsleep);    // the clock runs
  worker.work(workers, cut_point);
  meet(worker, Waiting::kDraining);  // worked
  worker.drain();
  meet(worker, Waiting::kDraining);  // drained
  meet(worker, Waiting::kAsleep);    // counted
  worker.free_own_blocks();
  return nullptr;
}

void be_idle(std::uint64_t milliseconds) {
  timespec left{static_cast<time_t>(milliseconds / 1000), static_cast<long>(milliseconds % 1000) * 1'000'000};
  while (nanosleep(&left, &left) != 0) {
  }
}

// The second half is the steady part: the heap has seen half of the phases.
void report_fragmentation(Context& context) {
  const HeapSample* const steady = sample_log.samples + sample_log.count / 2;
  const std::size_t steady_count = sample_log.count - sample_log.count / 2;
  const Fragmentation f = fragmentation_of(sample_log.samples, sample_log.count);
  context.metric("rss_over_live_mean", mean_held_over_live(steady, steady_count));
  context.metric("fragmentation_f1", f.f1);
  context.metric("fragmentation_f2", f.f2);
  context.metric("fragmentation_f3", f.f3);
  context.metric("fragmentation_f4", f.f4);
  context.metric("rss_growth_bytes", growth_per_million_operations(steady, steady_count));
}

void run(Context& context) {
  context.phase("fill");
  pthread_t threads[kMaxThreads];
  for (std::uint32_t at = 1; at < settings.threads; ++at)
    if (!start_thread(&threads[at], stacks + at * kThreadStackBytes, run_thread, &workers[at]))
      context.fail(Outcome::kRefused, "a thread could not be started");
  Worker& first = workers[0];
  first.fill();
  meet(first, Waiting::kDraining);
  std::uint64_t before = 0, after = 0;
  for (std::uint32_t at = 0; at < settings.threads; ++at) before += workers[at].operations();
  context.start_clock(settings.operations);
  meet(first, Waiting::kAsleep);
  first.work(workers, cut_point);
  meet(first, Waiting::kDraining);
  first.drain();
  meet(first, Waiting::kDraining);
  // What is drained is part of the timed work: so the count does not hang on who was quicker.
  for (std::uint32_t at = 0; at < settings.threads; ++at) after += workers[at].operations();
  context.stop_clock(settings.operations, after - before);
  meet(first, Waiting::kAsleep);
  context.phase("free all");
  first.free_own_blocks();
  for (std::uint32_t at = 1; at < settings.threads; ++at) pthread_join(threads[at], nullptr);

  const std::uint64_t all = settings.operations * settings.threads;
  const Observation freed = context.observe();
  context.sample(all, 0);
  if (context.pass() != kMemory && context.pass() != kLedger) return;
  context.phase("idle");
  be_idle(context.count("idle_ms"));
  const Observation idle = context.observe();
  context.sample(all, 0);
  if (context.pass() != kMemory) return;
  report_fragmentation(context);
  context.metric("rss_after_free_bytes", static_cast<double>(freed.rss_bytes));
  context.metric("rss_after_idle_bytes", static_cast<double>(idle.rss_bytes));
}

constexpr Workload kChurn{
    "churn",     "a long-running server: random requests and frees around a level, the mix drifts",
    kParameters, kVariants,
    kMetrics,    prepare,
    run};

HEAPMARK_WORKLOAD(kChurn)

}  // namespace
}  // namespace heapmark
