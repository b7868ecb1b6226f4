// The large block after fragmentation: fills with small blocks to 70 % of a budget, frees a random half, and
// asks for 1, 2, 4 ... 256 MiB while live bytes and request fit the budget; then again with other sizes,
// round by round. Under a limit, "plenty is free and a large block cannot be had" becomes a count of refused
// requests.
//
// The limit (RLIMIT_AS or RLIMIT_DATA) is the budget above what the process has after its first allocation:
// what an allocator reserves in advance is not held against it. Where an allocator reserves more later, and
// the budget does not suffice for it, its fill stops early: `fill_reached_share` says so.
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "workloads/blocks.h"
#include "workloads/context.h"
#include "workloads/rng.h"
#include "workloads/size_distribution.h"

namespace heapmark {
namespace {

constexpr std::uint64_t kMiB = 1024 * 1024;
constexpr std::uint64_t kLargest = 256 * kMiB;
constexpr LogUniform kSizes{octave(10), octave(17)};  // 1 KiB to 128 KiB

constexpr Parameter kParameters[] = {
    {"budget", Kind::kBytes, "384M", "", 4 * kMiB, 1e12, "live bytes that should be possible"},
    {"limit", Kind::kChoice, "none", "none|as|data", 0, 0,
     "as: address space (RLIMIT_AS), data: brk heap and private mappings (RLIMIT_DATA)"},
    {"rounds", Kind::kCount, "4", "", 1, 32, "rounds of filling, freeing half and asking; the sizes drift"},
    {"fill_share", Kind::kShare, "0.7", "", 0.01, 0.95, "of the budget, filled with small blocks"},
    {"free_share", Kind::kShare, "0.5", "", 0.01, 1, "of the small blocks, freed at random"},
};

constexpr unsigned kUnlimited = kSpeed | kMemory | kLedger | kLimit | kLatency;
constexpr Variant kVariants[] = {
    {"unlimited", kUnlimited, "limit=none", "budget=96M,rounds=2"},
    {"as", kLimit, "limit=as", "budget=96M,rounds=2"},
    {"data", kLimit, "limit=data", "budget=96M,rounds=2"},
};

constexpr unsigned kHeld = kMemory | kLimit;
constexpr MetricInfo kMetrics[] = {
    {"failed_though_fitting", "count", Better::kLower, kEveryPass, true,
     "large requests refused although live bytes and request fitted the budget"},
    {"large_requests", "count", Better::kNeither, kEveryPass, false, "large requests that fitted the budget"},
    {"largest_over_should_fit", "ratio", Better::kHigher, kLimit, true,
     "largest block that could be had over budget less live bytes, worst round"},
    {"fill_reached_share", "ratio", Better::kHigher, kLimit, false,
     "of the bytes to be filled, those that could be had, worst round"},
    {"virtual_free_bytes", "bytes", Better::kLower, kHeld, false,
     "address space beyond live bytes after half was freed, worst round"},
    {"rss_free_bytes", "bytes", Better::kLower, kHeld, true,
     "resident memory beyond live bytes after half was freed, worst round"},
    {"address_reserved_bytes", "bytes", Better::kLower, kHeld, false,
     "address space taken by the very first allocation"},
};

struct Slot {
  void* memory;
  std::uint64_t bytes;
};

struct Figures {
  double requests = 0, failed = 0, worst_largest = 1, worst_fill = 1, virtual_free = 0, rss_free = 0;
};

std::uint64_t budget, slot_count, live_bytes, operations;
Slot* slots;
int rounds_table = -1;
std::uint64_t reserved_bytes;
Figures figures;

void prepare(Context& context) {
  budget = context.count("budget");
  slot_count = budget / 1024;  // no block is smaller
  slots = static_cast<Slot*>(context.own_memory(slot_count * sizeof(Slot)));
  if (context.pass() == kLimit || context.pass() == kMemory)
    rounds_table = context.open_table("rounds",
                                      {"round", "live_bytes", "should_fit_bytes", "largest_bytes", "requests",
                                       "failed_though_fitting", "virtual_free_bytes", "rss_free_bytes"},
                                      32);
}

// A line of /proc/self/status in KiB, as bytes; read without malloc.
std::uint64_t status_bytes(Context& context, const char* key) {
  char text[4096];
  const int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
  const ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
  if (fd >= 0) close(fd);
  if (got <= 0) context.fail(Outcome::kRefused, "/proc/self/status cannot be read: no limit can be set");
  text[got] = '\0';
  const char* at = strstr(text, key);
  if (at == nullptr) context.fail(Outcome::kRefused, "/proc/self/status lacks a line that the limit needs");
  std::uint64_t kib = 0;
  for (at += strlen(key); *at == ' ' || *at == '\t'; ++at) {
  }
  for (; *at >= '0' && *at <= '9'; ++at) kib = kib * 10 + static_cast<std::uint64_t>(*at - '0');
  return kib * 1024;
}

void set_limit(Context& context) {
  const Observation before = context.observe();
  void* const first = ask(1000);
  if (first == nullptr)
    context.fail(Outcome::kOutOfMemory, "the very first request, of 1000 bytes, was refused");
  reserved_bytes = context.observe().virtual_bytes - before.virtual_bytes;
  free_block(first, 1000);
  if (context.chosen("limit", "none")) return;
  const bool data = context.chosen("limit", "data");
  const std::uint64_t now = status_bytes(context, data ? "\nVmData:" : "\nVmSize:");
  const rlimit limit{now + budget, now + budget};
  if (setrlimit(data ? RLIMIT_DATA : RLIMIT_AS, &limit) != 0)
    context.fail(Outcome::kRefused, "the limit could not be set (setrlimit)");
}

void release(Context& context, Slot& slot, std::uint64_t index) {
  if (slot.memory == nullptr) return;
  if (context.checking()) verify_pattern(context, slot.memory, slot.bytes, index);
  free_block(slot.memory, slot.bytes);
  live_bytes -= slot.bytes;
  slot.memory = nullptr;
  ++operations;
}

void fill(Context& context, std::uint32_t round, std::uint32_t rounds, Rng& random) {
  const auto goal = static_cast<std::uint64_t>(static_cast<double>(budget) * context.number("fill_share"));
  for (std::uint64_t at = 0; at < slot_count && live_bytes < goal; ++at) {
    Slot& slot = slots[at];
    if (slot.memory != nullptr) continue;
    context.slice(operations);
    const std::uint64_t bytes = draw_drifting(kSizes, round, rounds, random);
    slot = {ask(bytes), bytes};
    ++operations;
    if (slot.memory == nullptr) break;
    if (context.checking())
      fill_pattern(slot.memory, bytes, at);
    else
      touch_pages(slot.memory, bytes);
    live_bytes += bytes;
    if (at % 512 == 0) context.sample(operations, live_bytes);
  }
  const double reached = static_cast<double>(live_bytes) / static_cast<double>(goal);
  if (reached < figures.worst_fill) figures.worst_fill = reached;
}

void free_some(Context& context, double share, Rng& random) {
  for (std::uint64_t at = 0; at < slot_count; ++at) {
    if (slots[at].memory == nullptr || !random.chance(share)) continue;
    context.slice(operations);
    release(context, slots[at], at);
    if (at % 512 == 0) context.sample(operations, live_bytes);
  }
}

// Asks for 1, 2, 4 ... MiB, keeps what it gets, and stops where the next would not fit the budget any more.
struct Asked {
  double requests = 0, failed = 0;
};
Asked ask_large(Context& context) {
  Slot large[16] = {};
  std::uint64_t count = 0;
  Asked asked;
  for (std::uint64_t bytes = kMiB; bytes <= kLargest && live_bytes + bytes <= budget; bytes *= 2) {
    context.slice(operations);
    ++asked.requests;
    ++operations;
    void* const memory = ask(bytes);
    if (memory == nullptr) {
      ++asked.failed;
      continue;
    }
    if (context.checking())
      fill_pattern(memory, bytes, bytes);
    else
      touch_pages(memory, bytes);
    live_bytes += bytes;
    large[count++] = {memory, bytes};
    context.sample(operations, live_bytes);
  }
  for (std::uint64_t at = 0; at < count; ++at) release(context, large[at], large[at].bytes);
  return asked;
}

// The largest block that can be had now, to 64 KiB, by halving. Only its ends are touched: the question is
// whether the addresses can be had.
std::uint64_t largest_block(std::uint64_t should_fit) {
  constexpr std::uint64_t kStep = 64 * 1024;
  std::uint64_t had = 0, refused = should_fit + kStep;
  while (refused - had > kStep) {
    const std::uint64_t tried =
        had == 0 && refused == should_fit + kStep ? should_fit : had + (refused - had) / 2;
    auto* const memory = static_cast<volatile char*>(ask(tried));
    ++operations;
    if (memory == nullptr) {
      refused = tried;
      continue;
    }
    memory[0] = 1;
    memory[tried - 1] = 1;
    free_block(const_cast<char*>(memory), tried);
    ++operations;
    had = tried;
    if (tried == should_fit) break;
  }
  return had;
}

void one_round(Context& context, std::uint32_t round, std::uint32_t rounds, Rng& random) {
  context.phase("fill");
  fill(context, round, rounds, random);
  context.phase("free a random half");
  free_some(context, context.number("free_share"), random);

  const Observation now = context.observe();
  const std::uint64_t should_fit = budget - live_bytes, live = live_bytes;
  const double virtual_free = static_cast<double>(now.virtual_bytes) - static_cast<double>(live);
  const double rss_free = static_cast<double>(now.rss_bytes) - static_cast<double>(live);
  context.phase("ask for large blocks");
  const Asked asked = ask_large(context);
  const bool searching = context.pass() == kLimit;
  const std::uint64_t largest = searching ? largest_block(should_fit) : 0;

  figures.requests += asked.requests;
  figures.failed += asked.failed;
  const double share = static_cast<double>(largest) / static_cast<double>(should_fit);
  if (share < figures.worst_largest) figures.worst_largest = share;
  if (virtual_free > figures.virtual_free) figures.virtual_free = virtual_free;
  if (rss_free > figures.rss_free) figures.rss_free = rss_free;
  if (rounds_table < 0) return;
  context.add_row(rounds_table,
                  {static_cast<double>(round), static_cast<double>(live), static_cast<double>(should_fit),
                   searching ? static_cast<double>(largest) : kNotMeasured, asked.requests, asked.failed,
                   virtual_free, rss_free});
}

void run(Context& context) {
  Rng random(context.seed(), 0);
  set_limit(context);
  const auto rounds = static_cast<std::uint32_t>(context.count("rounds"));
  // A unit is an operation. How many there are shows along the way: about budget / 26 KiB (the mean size) a
  // round.
  context.start_clock(rounds * slot_count / 16);
  for (std::uint32_t round = 0; round < rounds; ++round) one_round(context, round, rounds, random);
  free_some(context, 1, random);
  context.stop_clock(operations, operations);
  context.sample(operations, live_bytes);

  context.metric("failed_though_fitting", figures.failed);
  context.metric("large_requests", figures.requests);
  if (context.pass() == kLimit) {
    context.metric("largest_over_should_fit", figures.worst_largest);
    context.metric("fill_reached_share", figures.worst_fill);
  }
  if (context.pass() == kLimit || context.pass() == kMemory) {
    context.metric("virtual_free_bytes", figures.virtual_free);
    context.metric("rss_free_bytes", figures.rss_free);
    context.metric("address_reserved_bytes", static_cast<double>(reserved_bytes));
  }
}

constexpr Workload kLargeBlock{"large_block",
                               "fills, frees a random half, and asks for large blocks that should fit",
                               kParameters,
                               kVariants,
                               kMetrics,
                               prepare,
                               run};

HEAPMARK_WORKLOAD(kLargeBlock)

}  // namespace
}  // namespace heapmark
