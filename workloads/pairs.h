// A block that is asked for, used and freed before the next one: what pair, linux-scalability and the two
// tests of false sharing have in common. Such a workload derives from Pairs and says only how a block is used
// and what comes before the first one.
#pragma once

#include "workloads/common_parameters.h"
#include "workloads/size_source.h"

namespace heapmark {

// `Work` hides what differs: before_first (in the timed part), use (between request and free).
template <typename Work>
struct Pairs {
  static inline SizeSource sizes;

  static std::uint32_t threads(Context& context) { return threads_of(context); }
  static std::uint64_t units(Context& context, std::uint32_t threads) {
    return units_of(context, threads, 2);
  }
  void set_up(Context& context, Member& member, Team&) {
    if (member.number() == 0) sizes.set_up(context, "sizes");
  }
  void fill(Member&) {}
  void before_first(Member&) {}
  void use(Member&, const Block&) {}
  void step(Member& member, std::uint64_t unit) {
    Work& work = static_cast<Work&>(*this);
    if (unit == 0) work.before_first(member);
    Block block = member.take(sizes.draw(member.random));
    work.use(member, block);
    member.give_back(block);
  }
  void finish(Member&) {}
};

// A block that is written to many times while it lives, as false sharing shows only then.
template <typename Work>
struct WrittenPairs : Pairs<Work> {
  std::uint64_t writes;

  void set_up(Context& context, Member& member, Team& team) {
    Pairs<Work>::set_up(context, member, team);
    writes = context.count("writes");
  }
  void use(Member& member, const Block& block) { member.write_again(block, writes); }
};

constexpr Parameter writes_parameter() {
  return {"writes", Kind::kCount, "100", "", 1, 1e9, "to each byte of a block before it is freed"};
}

}  // namespace heapmark
