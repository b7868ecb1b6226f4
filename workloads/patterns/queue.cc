// Producers ask for blocks and put them into a bounded queue; consumers take them out, read and free them:
// one to one, many to one (a logger), one to many (an accept loop and its workers). No block is freed where
// it was asked for. Idea: prod-cons of the Hoard paper's discussion of blowup (Berger et al., ASPLOS 2000);
// actor systems. Good: a few times `pair`, resident memory flat. Bad: memory that grows for ever (the blowup:
// producers never see what consumers freed), or a lock taken for each block. Made to embarrass: private heaps
// without ownership, and thread caches: the consumers' run over, the producers' are always empty. The queue's
// own waiting is the same for all.
#include "workloads/bounded_queue.h"
#include "workloads/common_parameters.h"
#include "workloads/size_source.h"

namespace heapmark {
namespace {

constexpr Parameter kParameters[] = {
    sizes_parameter("16..1K"),
    {"producers", Kind::kCount, "1", "", 1, 512, "threads that ask for blocks"},
    {"consumers", Kind::kCount, "1", "", 1, 512, "threads that free them"},
    {"room", Kind::kCount, "1024", "", 1, 1e6, "blocks that the queue holds"},
    operations_parameter("4M"),
};

constexpr Variant kVariants[] = {
    {"one-to-one", kUsualPasses, "producers=1,consumers=1", "operations=150000"},
    {"many-to-one", kUsualPasses, "producers=3,consumers=1", "operations=150000"},
    {"one-to-many", kUsualPasses, "producers=1,consumers=3", "operations=150000"},
};

SizeSource sizes;
BoundedQueue<> queue;

// In a unit each producer puts as many blocks as there are consumers, and each consumer takes as many as
// there are producers: what was put in a number of units is taken in the same number, so nobody waits for a
// thread that has stopped at the end of a slice.
struct Queue {
  std::uint64_t producers, consumers;

  static std::uint32_t threads(Context& context) {
    return static_cast<std::uint32_t>(context.count("producers") + context.count("consumers"));
  }
  static std::uint64_t units(Context& context, std::uint32_t) {
    return units_of(context, 1, 2 * context.count("producers") * context.count("consumers"));
  }
  void set_up(Context& context, Member& member, Team&) {
    producers = context.count("producers");
    consumers = context.count("consumers");
    if (member.number() != 0) return;
    sizes.set_up(context, "sizes");
    queue.set_up(context, context.count("room"));
  }
  void fill(Member&) {}
  void step(Member& member, std::uint64_t) {
    if (member.number() < producers) {
      for (std::uint64_t at = 0; at < consumers; ++at) queue.put(member.take(sizes.draw(member.random)));
      return;
    }
    for (std::uint64_t at = 0; at < producers; ++at) {
      Block block = queue.take();
      unsigned char read = *static_cast<const volatile unsigned char*>(block.memory);
      asm volatile("" : "+r"(read));
      member.give_back(block);
    }
  }
  void finish(Member&) {}
};

constexpr Workload kQueue{
    "queue",           "blocks that pass from producers to consumers through a bounded queue",
    kParameters,       kVariants,
    kSteadyMetrics,    TeamOf<Queue>::prepare,
    TeamOf<Queue>::run};

HEAPMARK_WORKLOAD(kQueue)

}  // namespace
}  // namespace heapmark
