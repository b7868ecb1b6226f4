// Batches of small blocks of one size after the other; most of a batch is freed in reverse order, the next
// batch's in the order of birth, and some of every batch survive a few batches: free blocks of one size are
// left among live ones of the others.
// Idea: sh6bench and sh8bench of MicroQuill (SmartHeap), as comparisons describe them: sizes from 1 to 1,000
// bytes, small ones far more often, uniform work on each thread; sh8 hands a part of the blocks to other
// threads. Here `handed` sets that share: 0 is sh6, a quarter is sh8.
// Good: near the time of `batch`. Bad: several times that on more than one thread.
// Published order (mimalloc-bench): mimalloc and snmalloc first, glibc last, at more than twice the time.
// Made to embarrass: coalescing at each free, and frees by other threads in bursts.
#include <utility>

#include "workloads/common_parameters.h"
#include "workloads/size_source.h"

namespace heapmark {
namespace {

constexpr std::uint64_t kBatches = 4;  // that survivors live on

constexpr Parameter kParameters[] = {
    sizes_parameter("1..1000"),
    {"batch", Kind::kCount, "1000", "", 1, 1e7, "blocks of a batch, of each thread"},
    {"survivors", Kind::kShare, "0.1", "", 0, 1, "share of a batch that outlives it by four batches"},
    {"handed", Kind::kShare, "0", "", 0, 1, "share of the survivors that another thread frees"},
    threads_parameter("4"),
    operations_parameter("10M"),
};

constexpr Variant kVariants[] = {
    {"sh6-4t", kUsualPasses, "threads=4,handed=0", "operations=500000"},
    {"sh8-4t", kUsualPasses, "threads=4,handed=0.25,survivors=0.25", "operations=500000"},
};

SizeSource sizes;
std::uint64_t batch_blocks, survivors_a_batch, handed_a_batch;

// One block at a time lies in each place; what is exchanged for it is freed by the thread that finds it.
struct alignas(64) Place {
  std::atomic<bool> busy;
  Block block;
};
Place* places;
constexpr std::uint64_t kPlaces = 64;

struct Sh6 {
  Block* batch;
  Block* survivors;  // kBatches rows
  std::uint64_t handed_next = 0;

  static std::uint32_t threads(Context& context) { return threads_of(context); }
  static std::uint64_t units(Context& context, std::uint32_t threads) {
    return units_of(context, threads, 2 * context.count("batch"));
  }
  void set_up(Context& context, Member& member, Team&) {
    if (member.number() == 0) {
      sizes.set_up(context, "sizes");
      batch_blocks = context.count("batch");
      survivors_a_batch =
          static_cast<std::uint64_t>(context.number("survivors") * static_cast<double>(batch_blocks));
      handed_a_batch =
          static_cast<std::uint64_t>(context.number("handed") * static_cast<double>(survivors_a_batch));
      places = static_cast<Place*>(context.own_memory(kPlaces * sizeof(Place)));
    }
    batch = static_cast<Block*>(context.own_memory(batch_blocks * sizeof(Block)));
    survivors = static_cast<Block*>(context.own_memory((kBatches * survivors_a_batch + 1) * sizeof(Block)));
  }
  // All batches' survivors, and a block in each place: from now on each unit frees as much as it takes.
  void fill(Member& member) {
    for (std::uint64_t at = 0; at < kBatches * survivors_a_batch; ++at)
      survivors[at] = member.take(sizes.draw(member.random));
    for (std::uint64_t at = 0; member.number() == 0 && at < kPlaces; ++at)
      places[at].block = member.take(sizes.draw(member.random));
  }
  // Leaves `block` to whoever comes next and takes what lay there instead.
  void exchange(Block& block, Member& member) {
    for (handed_next += member.number() * 7 + 1;; ++handed_next) {
      Place& place = places[handed_next % kPlaces];
      if (place.busy.exchange(true, std::memory_order_acquire)) continue;
      std::swap(place.block, block);
      place.busy.store(false, std::memory_order_release);
      return;
    }
  }
  void step(Member& member, std::uint64_t unit) {
    for (std::uint64_t at = 0; at < batch_blocks; ++at) batch[at] = member.take(sizes.draw(member.random));
    // Spread over the batch, so that they lie between blocks that are freed.
    Block* const old = survivors + unit % kBatches * survivors_a_batch;
    for (std::uint64_t at = 0; at < survivors_a_batch; ++at) {
      Block& living_on = batch[at * batch_blocks / survivors_a_batch];
      std::swap(living_on, old[at]);
      if (at < handed_a_batch) exchange(living_on, member);
    }
    if (unit % 2 == 0)
      for (std::uint64_t at = batch_blocks; at > 0; --at) member.give_back(batch[at - 1]);
    else
      for (std::uint64_t at = 0; at < batch_blocks; ++at) member.give_back(batch[at]);
  }
  void finish(Member& member) {
    for (std::uint64_t at = 0; at < kBatches * survivors_a_batch; ++at) member.give_back(survivors[at]);
    for (std::uint64_t at = 0; member.number() == 0 && at < kPlaces; ++at) member.give_back(places[at].block);
  }
};

constexpr Workload kSh6{"sh6",           "batches freed in both orders, with survivors among them",
                        kParameters,     kVariants,
                        kSteadyMetrics,  TeamOf<Sh6>::prepare,
                        TeamOf<Sh6>::run};

HEAPMARK_WORKLOAD(kSh6)

}  // namespace
}  // namespace heapmark
