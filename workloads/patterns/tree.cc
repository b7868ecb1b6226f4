// Builds a binary tree node by node, walks it, tears it down, and again; a larger tree of the same nodes
// lives on beside it. A compiler's or a query planner's small trees beside long-lived state. Idea: GCBench of
// Ellis, Kovac and Boehm, and the binary-trees program of the Benchmarks Game. Good: about two times `pair` a
// call: nodes asked for one after the other lie together, and the walk is cheap. Bad: walks that get slower
// with every tree: free lists are in the order of the last tear-down, so that the nodes of a new tree are
// scattered. Made to embarrass: headers that double a node of 32 bytes, and free lists that mix the pages.
#include "workloads/common_parameters.h"
#include "workloads/size_source.h"

namespace heapmark {
namespace {

constexpr Parameter kParameters[] = {
    sizes_parameter("24..64"),
    live_parameter("16M"),
    {"depth", Kind::kCount, "10", "", 1, 24, "levels of the tree that is built and torn down"},
    threads_parameter(),
    operations_parameter("8M"),
};

constexpr Variant kVariants[] = {
    {"nodes-1t", kUsualPasses, "sizes=24..64", "live=2M,operations=400000"},
};

SizeSource sizes;

// A complete binary tree: the children of node n are 2 n + 1 and 2 n + 2.
struct Nodes {
  Block* blocks;
  std::uint64_t count;

  void build(Member& member, std::uint64_t node) {
    if (node >= count) return;
    blocks[node] = member.take(sizes.draw(member.random));
    build(member, 2 * node + 1);
    build(member, 2 * node + 2);
  }
  [[nodiscard]] std::uint64_t walk(std::uint64_t node) const {
    if (node >= count) return 0;
    return *static_cast<const volatile unsigned char*>(blocks[node].memory) + walk(2 * node + 1) +
           walk(2 * node + 2);
  }
  void tear_down(Member& member, std::uint64_t node) {
    if (node >= count) return;
    tear_down(member, 2 * node + 1);
    tear_down(member, 2 * node + 2);
    member.give_back(blocks[node]);
  }
};

struct Tree {
  Nodes built, lasting;

  static std::uint32_t threads(Context& context) { return threads_of(context); }
  static std::uint64_t units(Context& context, std::uint32_t threads) {
    return units_of(context, threads, 2 * ((std::uint64_t{1} << context.count("depth")) - 1));
  }
  void set_up(Context& context, Member& member, Team& team) {
    if (member.number() == 0) sizes.set_up(context, "sizes");
    built.count = (std::uint64_t{1} << context.count("depth")) - 1;
    lasting.count = slots_for_live(sizes, context.count("live") / team.threads(), 1);
    built.blocks = static_cast<Block*>(context.own_memory(built.count * sizeof(Block)));
    lasting.blocks = static_cast<Block*>(context.own_memory(lasting.count * sizeof(Block)));
  }
  // A part of the lasting tree at a time, with a short-lived tree after each: the two are mixed in memory.
  void fill(Member& member) {
    for (std::uint64_t at = 0; at < lasting.count; ++at) {
      lasting.blocks[at] = member.take(sizes.draw(member.random));
      if (at % (16 * built.count) == 0) step(member, 0);
    }
  }
  void step(Member& member, std::uint64_t) {
    built.build(member, 0);
    std::uint64_t sum = built.walk(0);
    asm volatile("" : "+r"(sum));
    built.tear_down(member, 0);
  }
  void finish(Member& member) { lasting.tear_down(member, 0); }
};

constexpr Workload kTree{
    "tree",           "trees that are built, walked and torn down beside one that lives on",
    kParameters,      kVariants,
    kSteadyMetrics,   TeamOf<Tree>::prepare,
    TeamOf<Tree>::run};

HEAPMARK_WORKLOAD(kTree)

}  // namespace
}  // namespace heapmark
