// What sh6 and sh8 have in common: batches of small blocks, most of a batch freed at once in one of both
// orders, some of it surviving four batches; a share of those that have survived is freed by another thread.
#pragma once

#include <utility>

#include "workloads/common_parameters.h"
#include "workloads/hand_over.h"
#include "workloads/size_source.h"

namespace heapmark {

struct ShBatches {
  static constexpr std::uint64_t kBatches = 4;  // that survivors live on

  static inline SizeSource sizes;
  static inline HandOver others;
  static inline std::uint64_t batch_blocks, survivors_a_batch, handed_a_batch;

  Block* batch;
  Block* survivors;  // kBatches rows
  std::uint64_t handed_next;

  static std::uint32_t threads(Context& context) { return threads_of(context); }
  static std::uint64_t units(Context& context, std::uint32_t threads) {
    return units_of(context, threads, 2 * context.count("batch"));
  }
  void set_up(Context& context, Member& member, Team& team) {
    if (member.number() == 0) {
      const auto share = [&](const char* name, std::uint64_t of) {
        return static_cast<std::uint64_t>(context.number(name) * static_cast<double>(of));
      };
      sizes.set_up(context, "sizes");
      batch_blocks = context.count("batch");
      survivors_a_batch = share("survivors", batch_blocks);
      handed_a_batch = share("handed", survivors_a_batch);
      others.set_up(context, 16 * std::uint64_t{team.threads()}, 1);
    }
    handed_next = 16 * std::uint64_t{member.number()};
    batch = static_cast<Block*>(context.own_memory(batch_blocks * sizeof(Block)));
    survivors = static_cast<Block*>(context.own_memory((kBatches * survivors_a_batch + 1) * sizeof(Block)));
  }
  static Block take(Member& member) { return member.take(sizes.draw(member.random)); }

  // All batches' survivors, and a block in each place: from now on each unit frees as much as it takes.
  void fill(Member& member) {
    for (std::uint64_t at = 0; at < kBatches * survivors_a_batch; ++at) survivors[at] = take(member);
    if (member.number() == 0) others.fill(member, take);
  }
  void step(Member& member, std::uint64_t unit) {
    for (std::uint64_t at = 0; at < batch_blocks; ++at) batch[at] = take(member);
    // Spread over the batch, so that they lie between blocks that are freed.
    Block* const old = survivors + unit % kBatches * survivors_a_batch;
    for (std::uint64_t at = 0; at < survivors_a_batch; ++at) {
      Block& living_on = batch[at * batch_blocks / survivors_a_batch];
      std::swap(living_on, old[at]);
      if (at < handed_a_batch) others.exchange(&living_on, handed_next);
    }
    if (unit % 2 == 0)
      for (std::uint64_t at = batch_blocks; at > 0; --at) member.give_back(batch[at - 1]);
    else
      for (std::uint64_t at = 0; at < batch_blocks; ++at) member.give_back(batch[at]);
  }
  void finish(Member& member) {
    for (std::uint64_t at = 0; at < kBatches * survivors_a_batch; ++at) member.give_back(survivors[at]);
    if (member.number() == 0) others.free_all(member);
  }
};

constexpr Parameter batch_parameter() {
  return {"batch", Kind::kCount, "1000", "", 1, 1e7, "blocks of a batch, of each thread"};
}
constexpr Parameter survivors_parameter(const char* by_default) {
  return {
      "survivors", Kind::kShare, by_default, "", 0, 1, "share of a batch that outlives it by four batches"};
}
constexpr Parameter handed_parameter(const char* by_default) {
  return {"handed", Kind::kShare, by_default, "", 0, 1, "share of the survivors that another thread frees"};
}

}  // namespace heapmark
