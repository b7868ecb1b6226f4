// Twenty live blocks of 5 to 25 MiB; a random one is replaced each step, every page of the new one touched.
// Idea: malloc-large of mimalloc-bench, after a report of large buffers that were mapped anew each time.
// Good: no faults after the fill: ranges of freed blocks are used again. Bad: a fault for each page of each
// block (an mmap and a munmap a block), or resident memory far above the live 300 MiB.
// Published order (mimalloc-bench): tcmalloc, glibc (its dynamic threshold keeps them in the heap), then TBB,
// mimalloc and jemalloc with three times the time.
// Made to embarrass: a fixed threshold above which everything is mapped and released.
#include "workloads/common_parameters.h"
#include "workloads/size_source.h"

namespace heapmark {
namespace {

constexpr Parameter kParameters[] = {
    sizes_parameter("5M..25M"),
    {"blocks", Kind::kCount, "20", "", 1, 1e6, "live blocks"},
    {"replacements", Kind::kCount, "400", "", 1, 1e9, "of a random block"},
};

constexpr Variant kVariants[] = {{"20-blocks", kUsualPasses, "", "blocks=4,replacements=10"}};

SizeSource sizes;

struct MallocLarge {
  Block* slots;
  std::uint64_t count;

  static std::uint32_t threads(Context&) { return 1; }
  static std::uint64_t units(Context& context, std::uint32_t) { return context.count("replacements"); }
  void set_up(Context& context, Member&, Team&) {
    sizes.set_up(context, "sizes");
    count = context.count("blocks");
    slots = static_cast<Block*>(context.own_memory(count * sizeof(Block)));
  }
  void fill(Member& member) {
    for (std::uint64_t at = 0; at < count; ++at) slots[at] = member.take(sizes.draw(member.random));
  }
  void step(Member& member, std::uint64_t) {
    Block& slot = slots[member.random.below(count)];
    member.give_back(slot);
    slot = member.take(sizes.draw(member.random));
  }
  void finish(Member& member) {
    for (std::uint64_t at = 0; at < count; ++at) member.give_back(slots[at]);
  }
};

constexpr Workload kMallocLarge{"malloc-large",
                                "a few live blocks of 5 to 25 MiB, replaced at random",
                                kParameters,
                                kVariants,
                                kSteadyMetrics,
                                TeamOf<MallocLarge>::prepare,
                                TeamOf<MallocLarge>::run};

HEAPMARK_WORKLOAD(kMallocLarge)

}  // namespace
}  // namespace heapmark
