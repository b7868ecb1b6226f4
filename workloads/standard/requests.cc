// Every kind of request: malloc, calloc, aligned and realloc in a fixed mix around a level of live bytes, and
// free at random, so that the latency pass has figures for each of them. realloc grows or shrinks a live
// block by up to half. In programs realloc and aligned requests are rarer: read each kind's own figures.
#include "workloads/blocks.h"
#include "workloads/context.h"
#include "workloads/rng.h"
#include "workloads/size_distribution.h"

namespace heapmark {
namespace {

constexpr std::uint64_t kAlignments = 7;  // 16 to 1024 bytes

constexpr Parameter kParameters[] = {
    {"live", Kind::kBytes, "64M", "", 64 * 1024, 1e12, "live bytes aimed at"},
    {"sizes", Kind::kChoice, "mixed", "mixed|small", 0, 0,
     "log-uniform; mixed: 16 B to 256 KiB, small: 16 B to 1 KiB"},
    {"operations", Kind::kCount, "1500000", "", 1000, 1e12, "requests, resizes and frees after the fill"},
};

constexpr Variant kVariants[] = {
    {"small", kLatency, "sizes=small,live=32M", "live=8M,operations=300000"},
    {"mixed", kLatency, "sizes=mixed,live=128M", "live=48M,operations=200000"},
};

struct Slot {
  void* memory;
  std::uint64_t bytes;
  std::uint64_t identity;
};

LogUniform sizes;
Slot* slots;
std::uint64_t slot_count, used, live_bytes, identity;

void prepare(Context& context) {
  sizes = context.chosen("sizes", "small") ? LogUniform{octave(4), octave(10)}
                                           : LogUniform{octave(4), octave(18)};
  slot_count = context.count("live") / 64 + 64;  // no mix has a mean size near this
  slots = static_cast<Slot*>(context.own_memory(slot_count * sizeof(Slot)));
}

void hold(Context& context, Slot& slot) {
  if (slot.memory == nullptr)
    context.fail(Outcome::kOutOfMemory, "a request was refused: choose fewer live bytes");
  slot.identity = ++identity;
  if (context.checking())
    fill_pattern(slot.memory, slot.bytes, slot.identity);
  else
    touch_pages(slot.memory, slot.bytes);
  live_bytes += slot.bytes;
}

void check_zeroed(Context& context, const Slot& slot) {
  if (!context.checking()) return;
  for (std::uint64_t at = 0; at < slot.bytes; ++at)
    if (static_cast<const char*>(slot.memory)[at] != 0)
      context.fail(Outcome::kCheckFailed, "calloc returned memory that is not zero");
}

void take(Context& context, Rng& random) {
  Slot& slot = slots[used++];
  slot.bytes = draw_size(sizes, random);
  const std::uint64_t kind = random.below(8);
  if (kind == 0) {
    const std::size_t alignment = std::size_t{16} << random.below(kAlignments);
    slot.memory = ask_aligned(alignment, slot.bytes);
    if (context.checking() && reinterpret_cast<std::uintptr_t>(slot.memory) % alignment != 0)
      context.fail(Outcome::kCheckFailed, "a block is not aligned as it was asked for");
  } else if (kind <= 2) {
    slot.memory = ask_zeroed(slot.bytes);
    if (slot.memory != nullptr) check_zeroed(context, slot);
  } else {
    slot.memory = ask(slot.bytes);
  }
  hold(context, slot);
}

void change_size(Context& context, Rng& random) {
  Slot& slot = slots[random.below(used)];
  if (context.checking()) verify_pattern(context, slot.memory, slot.bytes, slot.identity);
  const std::uint64_t bytes = slot.bytes / 2 + random.below(slot.bytes) + 1;
  slot.memory = resize(slot.memory, bytes);
  if (context.checking() && slot.memory != nullptr)
    verify_pattern(context, slot.memory, bytes < slot.bytes ? bytes : slot.bytes, slot.identity);
  live_bytes -= slot.bytes;
  slot.bytes = bytes;
  hold(context, slot);
}

void give(Context& context, Slot& slot) {
  if (context.checking()) verify_pattern(context, slot.memory, slot.bytes, slot.identity);
  free_block(slot.memory, slot.bytes);
  live_bytes -= slot.bytes;
  slot = slots[--used];
}

void run(Context& context) {
  Rng random(context.seed(), 0);
  const std::uint64_t level = context.count("live"), operations = context.count("operations");
  context.phase("fill");
  while (live_bytes < level && used < slot_count) take(context, random);
  context.phase("requests");
  context.start_clock(operations);
  for (std::uint64_t done = 0; done < operations; ++done) {
    context.slice(done);
    if (used != 0 && random.below(8) == 0)
      change_size(context, random);
    else if (used == 0 || (live_bytes < level && used < slot_count))
      take(context, random);
    else
      give(context, slots[random.below(used)]);
  }
  context.stop_clock(operations, operations);
  context.phase("free all");
  while (used != 0) give(context, slots[used - 1]);
}

constexpr Workload kRequests{"requests",  "malloc, calloc, aligned requests, realloc and free around a level",
                             kParameters, kVariants,
                             {},          prepare,
                             run};

HEAPMARK_WORKLOAD(kRequests)

}  // namespace
}  // namespace heapmark
