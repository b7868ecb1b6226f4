// Blocks that are replaced one at a time in a live set: the slots, and what workloads that do so have in
// common (threads, units, fill, final free). Such a workload derives from LiveSet and says only what is its
// own: which slot comes next, what is asked for, how many slots there are.
#pragma once

#include "workloads/common_parameters.h"
#include "workloads/size_source.h"

namespace heapmark {

// The slots of one thread.
struct SlotTable {
  Block* slots = nullptr;
  std::uint64_t count = 0;

  // prepare() only.
  void set_up(Context& context, std::uint64_t slot_count) {
    count = slot_count;
    slots = static_cast<Block*>(context.own_memory(count * sizeof(Block)));
  }
  [[nodiscard]] Block& any(Member& member) const { return slots[member.random.below(count)]; }
  // `take(member)` gives the block for a slot.
  template <typename Take>
  void fill(Member& member, const Take& take) const {
    for (std::uint64_t at = 0; at < count; ++at) slots[at] = take(member);
  }
  void free_all(Member& member) const {
    for (std::uint64_t at = 0; at < count; ++at) member.give_back_if_any(slots[at]);
  }
};

// `Work` hides what differs: count_of (slots of a thread), next (the slot to be replaced), take (the block).
template <typename Work>
struct LiveSet {
  static inline SizeSource sizes;
  SlotTable set;

  static std::uint32_t threads(Context& context) { return threads_of(context); }
  static std::uint64_t units(Context& context, std::uint32_t threads) {
    return units_of(context, threads, 2);
  }
  static void read_sizes(Context& context) { sizes.set_up(context, "sizes"); }
  static std::uint64_t count_of(Context& context, std::uint32_t threads) {
    return slots_for_live(sizes, context.count("live") / threads, 1);
  }
  Block& next(Member& member) { return set.any(member); }
  Block take(Member& member) { return member.take(sizes.draw(member.random)); }

  void set_up(Context& context, Member& member, Team& team) {
    if (member.number() == 0) Work::read_sizes(context);
    set.set_up(context, Work::count_of(context, team.threads()));
  }
  void fill(Member& member) {
    set.fill(member, [this](Member& own) { return work().take(own); });
  }
  void step(Member& member, std::uint64_t) {
    Block& slot = work().next(member);
    member.give_back(slot);
    slot = work().take(member);
  }
  void finish(Member& member) { set.free_all(member); }

 private:
  Work& work() { return static_cast<Work&>(*this); }
};

}  // namespace heapmark
