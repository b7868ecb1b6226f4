// The heap that breathes: fills to a level of live bytes, then shrinks and grows around it again and again,
// as a server between requests or a compiler between functions does. What an allocator gives back at each low
// it must fault in again at each high; what it keeps stands as resident memory: time and faults against
// memory, the trade that thresholds set. `buffers` is the same with few large blocks that are written whole;
// in `bursts` nothing stays between the highs: each is filled and emptied completely, as by jobs of a batch.
#include <time.h>

#include "workloads/blocks.h"
#include "workloads/context.h"
#include "workloads/fragmentation.h"
#include "workloads/rng.h"
#include "workloads/size_distribution.h"

namespace heapmark {
namespace {

constexpr std::uint64_t kSamples = 400;
constexpr std::uint64_t kLeastMean = 1024;  // no mix has a smaller mean size: bounds the slots

constexpr Parameter kParameters[] = {
    {"level", Kind::kBytes, "96M", "", 1024 * 1024, 1e12, "live bytes at the highs"},
    {"sizes", Kind::kChoice, "wide", "wide|buffers|bursts", 0, 0,
     "log-uniform; wide: 1 KiB to 1 MiB, buffers: 5 to 25 MiB, bursts: in turn 4 KiB and 16 B to 64 KiB"},
    {"swing", Kind::kShare, "0.1", "", 0.001, 1,
     "of the live bytes, freed at random and asked for again each breath"},
    {"breaths", Kind::kCount, "150", "", 1, 1e9, "times that the heap shrinks and grows"},
    {"rest_ms", Kind::kCount, "200", "", 0, 600000, "rest at the end, in the memory and ledger passes"},
};

constexpr unsigned kPasses = kSpeed | kMemory | kLedger | kLatency | kPressure;
constexpr Variant kVariants[] = {
    {"wide", kPasses, "sizes=wide", "level=32M,breaths=60"},
    {"buffers", kPasses, "sizes=buffers,level=192M,swing=0.08,breaths=60", "level=96M,breaths=6"},
    {"bursts", kPasses, "sizes=bursts,level=80M,swing=1,breaths=10,rest_ms=1000",
     "level=16M,breaths=8,rest_ms=100", "breaths=3"},
};

constexpr MetricInfo kMetrics[] = {
    {"rss_over_live_mean", "ratio", Better::kLower, kMemory, true,
     "resident over live bytes, mean of the second half: what a live byte costs"},
    {"minor_faults_per_mib", "1/MiB", Better::kLower, kSpeed | kMemory, true,
     "minor faults while it breathes, per MiB that was asked for; 256 where every page is faulted in anew"},
    {"rss_at_lows_bytes", "bytes", Better::kLower, kMemory, true,
     "resident above the start at once after the heap has shrunk, mean of the lows"},
    {"rss_after_free_bytes", "bytes", Better::kLower, kMemory, true,
     "resident above the start once everything is freed"},
    {"rss_after_rest_bytes", "bytes", Better::kLower, kMemory, true,
     "the same after the rest and some small requests, which let an allocator act whose decay needs calls"},
};

struct Slot {
  void* memory;
  std::uint64_t bytes;
  std::uint64_t identity;
};

Slot* slots;
HeapSample* samples;
std::uint64_t sample_count, slot_count, used, live_bytes, asked_bytes, operations, identity;
enum class Sizes : std::uint8_t { kWide, kBuffers, kFourKiB, kMixed };
Sizes sizes;

void prepare(Context& context) {
  sizes = context.chosen("sizes", "buffers")  ? Sizes::kBuffers
          : context.chosen("sizes", "bursts") ? Sizes::kFourKiB
                                              : Sizes::kWide;
  slot_count = context.count("level") / kLeastMean + 64;
  slots = static_cast<Slot*>(context.own_memory(slot_count * sizeof(Slot)));
  samples = static_cast<HeapSample*>(context.own_memory(kSamples * sizeof(HeapSample)));
}

std::uint64_t draw(Rng& random) {
  constexpr std::uint64_t kMiB = 1024 * 1024;
  switch (sizes) {
    case Sizes::kBuffers:
      return 5 * kMiB + random.below(20 * kMiB + 1);
    case Sizes::kFourKiB:
      return 4096;
    case Sizes::kMixed:
      return draw_size({octave(4), octave(16)}, random);
    case Sizes::kWide:
      break;
  }
  return draw_size({octave(10), octave(20)}, random);
}

// Each burst is of the other kind than the one before.
void change_sizes() {
  if (sizes == Sizes::kFourKiB)
    sizes = Sizes::kMixed;
  else if (sizes == Sizes::kMixed)
    sizes = Sizes::kFourKiB;
}

// Sleeps, and then does a little, as a server does that is woken by its first request.
void rest(std::uint64_t milliseconds, Rng& random) {
  constexpr std::uint64_t kRequests = 1000;
  timespec left{static_cast<time_t>(milliseconds / 1000), static_cast<long>(milliseconds % 1000) * 1'000'000};
  while (nanosleep(&left, &left) != 0) {
  }
  for (std::uint64_t at = 0; at < kRequests; ++at) {
    const std::uint64_t bytes = draw_size({octave(4), octave(12)}, random);
    void* const block = ask(bytes);
    if (block != nullptr) touch_pages(block, bytes);
    std::free(block);
  }
}

void grow_to(Context& context, std::uint64_t level, Rng& random) {
  while (live_bytes < level && used < slot_count) {
    const std::uint64_t bytes = draw(random);
    Slot& slot = slots[used];
    slot = {ask(bytes), bytes, ++identity};
    if (slot.memory == nullptr)
      context.fail(Outcome::kOutOfMemory, "a request was refused: choose a smaller level");
    if (context.checking())
      fill_pattern(slot.memory, bytes, slot.identity);
    else
      touch_pages(slot.memory, bytes);
    ++used;
    ++operations;
    live_bytes += bytes;
    asked_bytes += bytes;
  }
}

void shrink_to(Context& context, std::uint64_t level, Rng& random) {
  while (live_bytes > level && used != 0) {
    Slot& slot = slots[random.below(used)];
    if (context.checking()) verify_pattern(context, slot.memory, slot.bytes, slot.identity);
    free_block(slot.memory, slot.bytes);
    live_bytes -= slot.bytes;
    slot = slots[--used];
    ++operations;
  }
}

void note(Context& context) {
  if (!context.sampling() || sample_count == kSamples) return;
  const Observation now = context.sample(operations, live_bytes);
  samples[sample_count++] = {static_cast<double>(operations), static_cast<double>(live_bytes),
                             static_cast<double>(now.rss_bytes)};
}

void run(Context& context) {
  Rng random(context.seed(), 0);
  const std::uint64_t level = context.count("level"), breaths = context.count("breaths");
  const auto low = static_cast<std::uint64_t>(static_cast<double>(level) * (1 - context.number("swing")));
  const std::uint64_t every = breaths * 2 / kSamples + 1;
  context.phase("fill");
  grow_to(context, level, random);
  asked_bytes = operations = 0;
  const std::uint64_t faults = context.observe().minor_faults;
  context.phase("breathe");
  double lows_bytes = 0;
  context.start_clock(breaths);
  for (std::uint64_t breath = 0; breath < breaths; ++breath) {
    context.slice(breath);
    shrink_to(context, low, random);
    if (context.pass() == kMemory) lows_bytes += static_cast<double>(context.observe().rss_bytes);
    if (breath % every == 0) note(context);
    change_sizes();
    grow_to(context, level, random);
    if (breath % every == 0) note(context);
  }
  context.stop_clock(breaths, operations);
  const double mib = static_cast<double>(asked_bytes) / (1024 * 1024);
  const double faulted = static_cast<double>(context.observe().minor_faults - faults);
  context.phase("free all");
  shrink_to(context, 0, random);
  const Observation freed = context.observe();
  context.sample(operations, 0);
  if (context.pass() == kSpeed || context.pass() == kMemory)
    context.metric("minor_faults_per_mib", faulted / mib);
  if (context.pass() == kSpeed || context.pass() == kPressure) return;
  context.phase("rest");
  rest(context.count("rest_ms"), random);
  const Observation rested = context.observe();
  context.sample(operations, 0);
  if (context.pass() != kMemory) return;
  context.metric("rss_at_lows_bytes", lows_bytes / static_cast<double>(breaths));
  context.metric("rss_after_rest_bytes", static_cast<double>(rested.rss_bytes));
  context.metric("rss_over_live_mean",
                 mean_held_over_live(samples + sample_count / 2, sample_count - sample_count / 2));
  context.metric("rss_after_free_bytes", static_cast<double>(freed.rss_bytes));
}

constexpr Workload kBreathe{
    "breathe",   "a heap that shrinks and grows around a level: faults and time against resident memory",
    kParameters, kVariants,
    kMetrics,    prepare,
    run};

HEAPMARK_WORKLOAD(kBreathe)

}  // namespace
}  // namespace heapmark
