// A process with a heap forks again and again; the child frees a share of what it inherited, asks for new
// blocks and ends, while the parent waits and then goes on replacing blocks. Redis saving a snapshot,
// Python's multiprocessing, prefork servers. Idea: reports of copy-on-write costs after fork; fork(2),
// pthread_atfork(3). Good: the child's faults are those of the pages whose blocks it frees. Bad: far more: to
// free a block writes to pages that hold nothing of it (lists through free blocks, headers, bitmaps far
// away), or the fork handlers take every lock and touch every arena. Made to embarrass: free lists threaded
// through the blocks, and coalescing, which writes into neighbours.
#include <sys/wait.h>
#include <unistd.h>

#include "workloads/common_parameters.h"
#include "workloads/size_source.h"

namespace heapmark {
namespace {

constexpr Parameter kParameters[] = {
    sizes_parameter("16..1K"),
    live_parameter("8M"),
    {"forks", Kind::kCount, "400", "", 1, 1e9, "children, one at a time"},
    {"freed", Kind::kShare, "0.25", "", 0, 1, "share of the inherited blocks that a child frees"},
    {"between", Kind::kCount, "1000", "", 0, 1e9, "blocks that the parent replaces after each child"},
};

constexpr Variant kVariants[] = {
    {"snapshot", kUsualPasses, "", "live=1M,forks=12"},
};

constexpr int kChildDone = 7;  // not 0: a failed check ends the child with that

SizeSource sizes;

struct Fork {
  Block* slots;
  std::uint64_t count, freed, between;

  static std::uint32_t threads(Context&) { return 1; }
  static std::uint64_t units(Context& context, std::uint32_t) { return context.count("forks"); }

  void set_up(Context& context, Member&, Team&) {
    sizes.set_up(context, "sizes");
    count = slots_for_live(sizes, context.count("live"), 1);
    freed = static_cast<std::uint64_t>(context.number("freed") * static_cast<double>(count));
    between = context.count("between");
    slots = static_cast<Block*>(context.own_memory(count * sizeof(Block)));
  }
  void fill(Member& member) {
    for (std::uint64_t at = 0; at < count; ++at) slots[at] = member.take(sizes.draw(member.random));
  }
  // In its own copy of everything: the parent's slots and counts stay as they are.
  [[noreturn]] void be_child(Member& member) {
    for (std::uint64_t at = 0; at < freed; ++at) member.give_back_if_any(slots[member.random.below(count)]);
    for (std::uint64_t at = 0; at < count && freed > 0; ++at)
      if (slots[at].memory == nullptr) {
        slots[at] = member.take(sizes.draw(member.random));
        --freed;
      }
    _exit(kChildDone);
  }
  void step(Member& member, std::uint64_t) {
    Context& context = member.context();
    const pid_t child = ::fork();
    if (child < 0) context.fail(Outcome::kRefused, "fork was refused: is a limit on processes set?");
    if (child == 0) be_child(member);
    int status = 0;
    if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != kChildDone)
      context.fail(Outcome::kCheckFailed, "a child that freed inherited blocks crashed or failed a check");
    for (std::uint64_t at = 0; at < between; ++at) {
      Block& slot = slots[member.random.below(count)];
      member.give_back(slot);
      slot = member.take(sizes.draw(member.random));
    }
  }
  void finish(Member& member) {
    for (std::uint64_t at = 0; at < count; ++at) member.give_back(slots[at]);
  }
};

constexpr Workload kFork{"fork",           "children that free blocks which they inherited by fork",
                         kParameters,      kVariants,
                         kSteadyMetrics,   TeamOf<Fork>::prepare,
                         TeamOf<Fork>::run};

HEAPMARK_WORKLOAD(kFork)

}  // namespace
}  // namespace heapmark
