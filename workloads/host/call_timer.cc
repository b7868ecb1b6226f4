// See call_timer.h.
#include "workloads/host/call_timer.h"

#include <sys/mman.h>
#include <sys/resource.h>

#include <atomic>

#include "workloads/calls.h"
#include "workloads/host/procfs.h"
#include "workloads/host/ticks.h"
#include "workloads/log_buckets.h"

namespace heapmark {

bool calls_are_timed = false;

namespace {

using host::Ticks;

// What a call was seen to do. A call with a fault in it may have mapped memory too: it counts as faulted.
enum Kind : std::uint8_t { kPlain, kFaulted, kMapping, kPreempted };
constexpr std::size_t kKinds = 4;

constexpr std::uint64_t kClassEnds[] = {64, 256, 1024, 4096, 32768, 131072, 1048576, ~std::uint64_t{0}};
constexpr std::size_t kClasses = sizeof kClassEnds / sizeof kClassEnds[0];
constexpr std::uint32_t kMostStalls = 512, kMostBucketRows = 2500;
constexpr std::uint64_t kPageBytes = 4096;

struct Counters {
  std::uint64_t minor, major, voluntary, involuntary;
};

struct Stall {
  std::uint64_t begin_ns, ns, bytes;
  Call call;
  Kind kind;
  Counters seen;
  double break_change, address_change, resident_change;
};

using Histogram = std::atomic<std::uint32_t>[kBuckets];

struct Timer {
  Ticks ticks;
  std::uint64_t slow_ticks = 0;  // from here on a call or a stretch of the workload is looked into
  std::uint64_t stall_ticks = 0;
  std::uint64_t begin = 0;
  bool alone = false;  // one thread: changes of the address space are the call's own
  Histogram* histograms = nullptr;
  std::atomic<std::uint64_t> slowest[kCalls][kClasses];
  std::atomic<std::uint64_t> stall_counts[kCalls][kClasses];
  Stall* stalls = nullptr;
  std::atomic<std::uint32_t> stall_rows{0};
  std::int64_t break_before = 0;
  std::uint64_t addresses_before = 0, resident_before = 0;
  int buckets_table = -1, classes_table = -1, stalls_table = -1;
};
Timer timer;

struct Thread {
  std::uint64_t last_end = 0;  // 0: no call yet, which makes any stretch before the first a slow one
  Counters known{};
};
thread_local Thread thread;

Histogram& histogram(std::size_t call, std::size_t size_class, std::size_t kind) {
  return timer.histograms[(call * kClasses + size_class) * kKinds + kind];
}

std::size_t class_of(std::uint64_t bytes) {
  std::size_t at = 0;
  while (bytes > kClassEnds[at]) ++at;
  return at;
}

Counters read_counters() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  const auto count = [](long value) { return static_cast<std::uint64_t>(value); };
  return {count(usage.ru_minflt), count(usage.ru_majflt), count(usage.ru_nvcsw), count(usage.ru_nivcsw)};
}

Counters between(const Counters& before, const Counters& after) {
  return {after.minor - before.minor, after.major - before.major, after.voluntary - before.voluntary,
          after.involuntary - before.involuntary};
}

void raise(std::atomic<std::uint64_t>& most, std::uint64_t value) {
  std::uint64_t seen = most.load(std::memory_order_relaxed);
  while (value > seen && !most.compare_exchange_weak(seen, value, std::memory_order_relaxed)) {
  }
}

// The counters before the call, where something slow has happened since they were last read. What was faulted
// in meanwhile is resident now.
void catch_up(Thread& me) {
  const Counters now = read_counters();
  if (timer.alone && me.last_end != 0) timer.resident_before += (now.minor - me.known.minor) * kPageBytes;
  me.known = now;
}

struct Changes {
  double of_break = kNotMeasured, of_addresses = kNotMeasured, of_resident = kNotMeasured;
  bool any = false;
};

Changes look_at_address_space() {
  Changes changes;
  if (!timer.alone) return changes;
  const std::int64_t break_now = host::program_break();
  const host::Memory memory = host::read_memory_quickly();
  const auto change = [](std::uint64_t before, std::uint64_t after) {
    return static_cast<double>(static_cast<std::int64_t>(after - before));
  };
  changes.of_break = static_cast<double>(break_now - timer.break_before);
  changes.of_addresses = change(timer.addresses_before, memory.virtual_bytes);
  changes.of_resident = change(timer.resident_before, memory.anonymous_bytes);
  changes.any = changes.of_break != 0 || changes.of_addresses != 0;
  timer.break_before = break_now;
  timer.addresses_before = memory.virtual_bytes;
  timer.resident_before = memory.anonymous_bytes;
  return changes;
}

Kind kind_of(const Counters& seen, const Changes& changes) {
  if (seen.involuntary > 0) return kPreempted;
  if (seen.minor + seen.major > 0) return kFaulted;
  return changes.any || seen.voluntary > 0 ? kMapping : kPlain;
}

void keep_stall(const Stall& stall) {
  const std::uint32_t row = timer.stall_rows.fetch_add(1, std::memory_order_relaxed);
  if (row < kMostStalls) timer.stalls[row] = stall;
}

// [[gnu::noinline]]: a quick call needs nothing of this.
[[gnu::noinline]] Kind look_into(Thread& me, Call call, std::uint64_t bytes, std::uint64_t begin,
                                 std::uint64_t passed) {
  const Counters now = read_counters(), seen = between(me.known, now);
  me.known = now;
  const Changes changes = look_at_address_space();
  const Kind kind = kind_of(seen, changes);
  if (passed > timer.stall_ticks)
    keep_stall({timer.ticks.to_ns(begin - timer.begin), timer.ticks.to_ns(passed), bytes, call, kind, seen,
                changes.of_break, changes.of_addresses, changes.of_resident});
  return kind;
}

template <Call kCall>
void* timed(void* block, std::size_t bytes, std::size_t alignment) {
  Thread& me = thread;
  std::uint64_t before = timer.ticks.now();
  if (before - me.last_end > timer.slow_ticks) {
    catch_up(me);
    before = timer.ticks.now();
  }
  void* const result = detail::make_call(kCall, block, bytes, alignment);
  const std::uint64_t passed = timer.ticks.now() - before;

  const Kind kind = passed > timer.slow_ticks ? look_into(me, kCall, bytes, before, passed) : kPlain;
  const std::uint64_t ns = timer.ticks.to_ns(passed);
  const auto call = static_cast<std::size_t>(kCall);
  const std::size_t size_class = class_of(bytes);
  histogram(call, size_class, kind)[bucket_of(ns)].fetch_add(1, std::memory_order_relaxed);
  if (kind != kPreempted) {
    raise(timer.slowest[call][size_class], ns);
    if (passed > timer.stall_ticks)
      timer.stall_counts[call][size_class].fetch_add(1, std::memory_order_relaxed);
  }
  me.last_end = timer.ticks.now();
  return result;
}

// The least time that a page fault takes here: of pages touched for the first time, the quickest.
std::uint64_t quickest_fault() {
  constexpr std::size_t kPages = 64;
  void* const pages =
      mmap(nullptr, kPages * kPageBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) return timer.ticks.from_ns(500);
  madvise(pages, kPages * kPageBytes, MADV_NOHUGEPAGE);
  std::uint64_t quickest = ~std::uint64_t{0};
  for (std::size_t page = 0; page < kPages; ++page) {
    const std::uint64_t before = timer.ticks.now();
    static_cast<volatile char*>(pages)[page * kPageBytes] = 1;
    const std::uint64_t passed = timer.ticks.now() - before;
    if (passed < quickest) quickest = passed;
  }
  munmap(pages, kPages * kPageBytes);
  return quickest;
}

// Counts of some histograms, added up.
struct Sum {
  std::uint64_t counts[kBuckets];
  std::uint64_t total;

  void clear() { *this = Sum{}; }
  void add(const Histogram& from) {
    for (std::size_t at = 0; at < kBuckets; ++at) {
      counts[at] += from[at].load(std::memory_order_relaxed);
      total += from[at].load(std::memory_order_relaxed);
    }
  }
  [[nodiscard]] double quantile_ns(double q) const { return quantile(counts, total, q); }
};
Sum sum;

void add_kinds(std::size_t call, std::size_t size_class) {
  for (const Kind kind : {kPlain, kFaulted, kMapping}) sum.add(histogram(call, size_class, kind));
}

std::uint64_t calls_of_kind(Kind kind) {
  sum.clear();
  for (std::size_t call = 0; call < kCalls; ++call)
    for (std::size_t size_class = 0; size_class < kClasses; ++size_class)
      sum.add(histogram(call, size_class, kind));
  return sum.total;
}

double number(std::uint64_t value) {
  return static_cast<double>(value);
}

std::uint64_t calls_in(std::size_t call, std::size_t size_class, Kind kind) {
  sum.clear();
  sum.add(histogram(call, size_class, kind));
  return sum.total;
}

void fill_classes_table(Context& context) {
  for (std::size_t call = 0; call < kCalls; ++call)
    for (std::size_t size_class = 0; size_class < kClasses; ++size_class) {
      const double faulted = number(calls_in(call, size_class, kFaulted)),
                   mapping = number(calls_in(call, size_class, kMapping)),
                   preempted = number(calls_in(call, size_class, kPreempted));
      sum.clear();
      add_kinds(call, size_class);
      if (sum.total == 0 && preempted == 0) continue;
      const bool last = size_class + 1 == kClasses;
      context.add_row(timer.classes_table,
                      {number(call), last ? kNotMeasured : number(kClassEnds[size_class]), number(sum.total),
                       faulted, mapping, preempted, sum.quantile_ns(0.5), sum.quantile_ns(0.99),
                       sum.quantile_ns(0.999), sum.quantile_ns(0.9999),
                       sum.total == 0 ? kNotMeasured : number(timer.slowest[call][size_class].load()),
                       number(timer.stall_counts[call][size_class].load())});
    }
}

void fill_buckets_table(Context& context) {
  for (std::size_t call = 0; call < kCalls; ++call)
    for (std::size_t kind = 0; kind < kKinds; ++kind) {
      sum.clear();
      for (std::size_t size_class = 0; size_class < kClasses; ++size_class)
        sum.add(histogram(call, size_class, kind));
      for (std::size_t at = 0; at < kBuckets; ++at)
        if (sum.counts[at] != 0)
          context.add_row(timer.buckets_table, {number(call), number(kind), number(bucket_begin(at)),
                                                number(bucket_begin(at + 1)), number(sum.counts[at])});
    }
}

void fill_stalls_table(Context& context) {
  const std::uint32_t rows = timer.stall_rows.load();
  for (std::uint32_t at = 0; at < rows; ++at) {
    const Stall& stall = timer.stalls[at < kMostStalls ? at : 0];  // beyond: counted as dropped by the table
    context.add_row(timer.stalls_table,
                    {number(stall.begin_ns), number(static_cast<std::size_t>(stall.call)),
                     number(stall.bytes), number(stall.ns), number(stall.kind), number(stall.seen.minor),
                     number(stall.seen.major), number(stall.seen.voluntary), number(stall.seen.involuntary),
                     stall.break_change, stall.address_change, stall.resident_change});
  }
}

double p999_of(Call call) {
  sum.clear();
  for (std::size_t size_class = 0; size_class < kClasses; ++size_class)
    add_kinds(static_cast<std::size_t>(call), size_class);
  return sum.quantile_ns(0.999);
}

}  // namespace

void* timed_call(Call call, void* block, std::size_t bytes, std::size_t alignment) {
  switch (call) {
    case Call::kMalloc:
      return timed<Call::kMalloc>(block, bytes, alignment);
    case Call::kFree:
      if (block == nullptr)
        return nullptr;  // free(null) is no work: it would only make the figures look better
      return timed<Call::kFree>(block, bytes, alignment);
    case Call::kRealloc:
      return timed<Call::kRealloc>(block, bytes, alignment);
    case Call::kCalloc:
      return timed<Call::kCalloc>(block, bytes, alignment);
    case Call::kAligned:
      return timed<Call::kAligned>(block, bytes, alignment);
  }
  return nullptr;
}

namespace host {

void prepare_call_timing(Context& context) {
  timer.histograms =
      static_cast<Histogram*>(context.own_memory(sizeof(Histogram) * kCalls * kClasses * kKinds));
  timer.stalls = static_cast<Stall*>(context.own_memory(sizeof(Stall) * kMostStalls));
  timer.classes_table =
      context.open_table("latency",
                         {"call", "up_to_bytes", "calls", "faulted", "mapping", "preempted", "p50_ns",
                          "p99_ns", "p999_ns", "p9999_ns", "slowest_ns", "stalls"},
                         kCalls * kClasses);
  timer.buckets_table =
      context.open_table("latency_buckets", {"call", "kind", "from_ns", "to_ns", "calls"}, kMostBucketRows);
  timer.stalls_table = context.open_table(
      "stalls",
      {"time_ns", "call", "bytes", "ns", "kind", "minor_faults", "major_faults", "voluntary_switches",
       "involuntary_switches", "break_change", "address_change", "resident_change"},
      kMostStalls);
  timer.ticks.set_up();
  const std::uint64_t least = timer.ticks.from_ns(100), most = timer.ticks.from_ns(1000);
  const std::uint64_t half_a_fault = quickest_fault() / 2;
  timer.slow_ticks = half_a_fault < least ? least : half_a_fault > most ? most : half_a_fault;
  timer.stall_ticks = timer.ticks.from_ns(kStallNs);
}

void start_call_timing(std::uint32_t threads) {
  timer.alone = threads == 1;
  timer.begin = timer.ticks.now();
  (void)look_at_address_space();
  calls_are_timed = true;
}

void stop_call_timing() {
  calls_are_timed = false;
}

void report_call_timing(Context& context) {
  fill_classes_table(context);
  fill_buckets_table(context);
  fill_stalls_table(context);
  const double faulted = number(calls_of_kind(kFaulted)), mapping = number(calls_of_kind(kMapping)),
               preempted = number(calls_of_kind(kPreempted));
  context.metric("malloc_p999_ns", p999_of(Call::kMalloc));
  context.metric("free_p999_ns", p999_of(Call::kFree));
  sum.clear();
  std::uint64_t slowest = 0, stalls = 0;
  for (std::size_t call = 0; call < kCalls; ++call)
    for (std::size_t size_class = 0; size_class < kClasses; ++size_class) {
      add_kinds(call, size_class);
      const std::uint64_t one = timer.slowest[call][size_class].load();
      if (one > slowest) slowest = one;
      stalls += timer.stall_counts[call][size_class].load();
    }
  context.metric("p50_ns", sum.quantile_ns(0.5));
  context.metric("p99_ns", sum.quantile_ns(0.99));
  context.metric("p999_ns", sum.quantile_ns(0.999));
  context.metric("p9999_ns", sum.quantile_ns(0.9999));
  context.metric("slowest_call_ns", sum.total == 0 ? kNotMeasured : number(slowest));
  context.metric("stalls", number(stalls));
  context.metric("timed_calls", number(sum.total) + preempted);
  context.metric("faulted_calls", faulted);
  context.metric("mapping_calls", mapping);
  context.metric("preempted_calls", preempted);
  context.metric("clock_cost_ns", timer.ticks.cost_ns());
}

}  // namespace host
}  // namespace heapmark
