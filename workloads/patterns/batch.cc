// Asks for a batch of blocks, then frees all of them: in the order in which they came, in reverse, or
// shuffled. A request that is built up and dropped: a parser's nodes, a query's rows.
// Idea: the batches of Hoard's threadtest and of SmartHeap's sh6bench, reduced to one thread's part.
// Good: about the time of `pair`, whatever the order. Bad: ten times that, with faults and kernel calls in
// proportion to the batches: memory is given back at the end of each and mapped again for the next.
// Made to embarrass: thread caches smaller than the batch, jemalloc at 1 to 32 KiB (each batch overflows its
// caches and goes to the arena block by block), and coalescing in the wrong order.
#include <utility>

#include "workloads/common_parameters.h"
#include "workloads/size_source.h"

namespace heapmark {
namespace {

constexpr Parameter kParameters[] = {
    sizes_parameter("16..1K"),
    {"blocks", Kind::kCount, "1000", "", 1, 1e7, "blocks of a batch, of each thread"},
    {"order", Kind::kChoice, "same", "same|reverse|shuffled", 0, 0, "in which a batch is freed"},
    threads_parameter(),
    operations_parameter("10M"),
};

constexpr Variant kVariants[] = {
    {"small-1t", kUsualPasses, "sizes=16..1K", "operations=300000"},
    {"medium-1t", kUsualPasses, "sizes=1K..32K,operations=2M", "operations=24000"},
    {"large-shuffled-1t", kUsualPasses, "sizes=64K..1M,blocks=64,order=shuffled,operations=100000",
     "operations=640"},
};

SizeSource sizes;
enum class Order : std::uint8_t { kSame, kReverse, kShuffled } order;

struct Batch {
  Block* blocks;
  std::uint64_t count;

  static std::uint32_t threads(Context& context) { return threads_of(context); }
  static std::uint64_t units(Context& context, std::uint32_t threads) {
    return units_of(context, threads, 2 * context.count("blocks"));
  }
  void set_up(Context& context, Member& member, Team&) {
    if (member.number() == 0) {
      sizes.set_up(context, "sizes");
      order = context.chosen("order", "same")      ? Order::kSame
              : context.chosen("order", "reverse") ? Order::kReverse
                                                   : Order::kShuffled;
    }
    count = context.count("blocks");
    blocks = static_cast<Block*>(context.own_memory(count * sizeof(Block)));
  }
  void fill(Member&) {}
  void step(Member& member, std::uint64_t) {
    for (std::uint64_t at = 0; at < count; ++at) blocks[at] = member.take(sizes.draw(member.random));
    if (order == Order::kShuffled)
      for (std::uint64_t left = count; left > 1; --left)
        std::swap(blocks[left - 1], blocks[member.random.below(left)]);
    if (order == Order::kReverse)
      for (std::uint64_t at = count; at > 0; --at) member.give_back(blocks[at - 1]);
    else
      for (std::uint64_t at = 0; at < count; ++at) member.give_back(blocks[at]);
  }
  void finish(Member&) {}
};

constexpr Workload kBatch{"batch",           "a batch of blocks is asked for and then freed, again and again",
                          kParameters,       kVariants,
                          kSteadyMetrics,    TeamOf<Batch>::prepare,
                          TeamOf<Batch>::run};

HEAPMARK_WORKLOAD(kBatch)

}  // namespace
}  // namespace heapmark
