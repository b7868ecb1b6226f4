// The frame of workloads that do fixed work on one or many threads: threads, clock, slices, samples of
// resident memory and the accounting of every block. A workload gives a class that says what one thread does:
//
//   static threads(Context&), units(Context&, threads)   how many threads; units of work of each
//   set_up(Context&, Member&, Team&)                     prepare(): own memory, parameters; no malloc
//   fill(Member&)                                        before the timed part
//   step(Member&, unit)                                  one unit of the timed part, the same everywhere
//   finish(Member&)                                      frees all that is left
//
// A block that was taken and never given back fails the trial: nothing leaks.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>

#include "workloads/blocks.h"
#include "workloads/calls.h"
#include "workloads/context.h"
#include "workloads/cut_point.h"
#include "workloads/meeting.h"
#include "workloads/rng.h"
#include "workloads/steady_report.h"

namespace heapmark {

inline constexpr std::uint32_t kMaxTeam = 1024;

// One thread's way to the allocator: touches or, with --check, fills and verifies, and counts. A block may be
// given back by another member than the one that took it.
class Member {
 public:
  void set_up(Context& context, std::uint32_t number) {
    context_ = &context;
    number_ = number;
    random = Rng(context.seed(), number);
    next_identity_ = std::uint64_t{number} << 48;
    checking_ = context.checking();
  }

  Rng random{0, 0};
  [[nodiscard]] std::uint32_t number() const { return number_; }
  [[nodiscard]] Context& context() const { return *context_; }
  [[nodiscard]] bool checking() const { return checking_; }

  Block take(std::uint64_t bytes) { return accept(ask(bytes), bytes); }
  Block take_zeroed(std::uint64_t bytes);
  Block take_aligned(std::uint64_t alignment, std::uint64_t bytes);
  // realloc; the contents up to the smaller size are verified with --check.
  void resize(Block& block, std::uint64_t bytes);
  void give_back(Block& block) {
    if (checking_) verify_pattern(*context_, block.memory, block.bytes, block.identity);
    free_block(block.memory, block.bytes);
    block.memory = nullptr;
    add(freed_bytes_, block.bytes);
    ++operations_;
  }
  void give_back_if_any(Block& block) {
    if (block.memory != nullptr) give_back(block);
  }

  // Writes to each byte `times` times; nothing with --check, where the pattern must stay.
  void write_again(const Block& block, std::uint64_t times) const {
    if (checking_) return;
    volatile unsigned char* const to = static_cast<volatile unsigned char*>(block.memory);
    for (std::uint64_t time = 0; time < times; ++time)
      for (std::uint64_t at = 0; at < block.bytes; ++at) to[at] = static_cast<unsigned char>(to[at] + 1);
  }

  // Takes over the account of a member whose thread has ended, and empties that.
  void absorb(Member& ended);

  [[nodiscard]] std::uint64_t operations() const { return operations_; }
  [[nodiscard]] std::uint64_t asked_bytes() const { return asked_bytes_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t freed_bytes() const { return freed_bytes_.load(std::memory_order_relaxed); }

 private:
  Block accept(void* memory, std::uint64_t bytes) {
    if (memory == nullptr) refused();
    const Block block{memory, bytes, next_identity_++};
    if (checking_)
      fill_pattern(memory, bytes, block.identity);
    else
      touch_pages(memory, bytes);
    add(asked_bytes_, bytes);
    ++operations_;
    return block;
  }
  [[noreturn]] void refused();
  // One writer: no need of a locked instruction.
  static void add(std::atomic<std::uint64_t>& sum, std::uint64_t bytes) {
    sum.store(sum.load(std::memory_order_relaxed) + bytes, std::memory_order_relaxed);
  }

  Context* context_ = nullptr;
  std::uint32_t number_ = 0;
  bool checking_ = false;
  std::uint64_t operations_ = 0, next_identity_ = 0;
  alignas(64) std::atomic<std::uint64_t> asked_bytes_{0};
  std::atomic<std::uint64_t> freed_bytes_{0};
};

class Team {
 public:
  using Duty = void (*)(void* work, Member&, Team&);

  // `units` of each of the `threads`; `cpus`: how many threads are at work at one time, helpers included.
  void prepare(Context& context, std::uint32_t threads, std::uint64_t units, std::uint32_t cpus);
  void run(Context& context, void* works, std::size_t work_bytes, Duty fill, Duty loop, Duty finish);

  [[nodiscard]] std::uint32_t threads() const { return threads_; }
  [[nodiscard]] std::uint64_t units() const { return units_; }
  [[nodiscard]] Member& member(std::uint32_t number) { return members_[number]; }

  // For workloads whose live bytes rise and fall within a unit: a sample beside those between units. Only the
  // first member takes any.
  void sample(Member& member) {
    if (member.number() == 0) take_sample(member);
  }

  // What the threads of a wave (thread_wave.h) have done by now, whose accounts are not yet the first's.
  struct Account {
    std::uint64_t operations = 0, asked_bytes = 0, freed_bytes = 0;
  };
  // For one thread of a wave, while the first member waits for it.
  void sample(Context& context, const Account& wave) {
    series_.add(context, operations() + wave.operations, live_bytes(wave));
  }

  void before_unit(Member& member, std::uint64_t unit, std::uint32_t& cuts) {
    cut_point_.pass(member.context(), unit, member.number() == 0, cuts, [] {});
    if (member.number() == 0 && unit >= next_sample_) [[unlikely]] {
      next_sample_ = unit + sample_every_;
      take_sample(member);
    }
  }

 private:
  static void* run_thread(void* place);
  void take_sample(const Member& first);
  [[nodiscard]] std::uint64_t operations() const;
  [[nodiscard]] std::uint64_t live_bytes(const Account& wave) const;

  // What a thread is handed.
  struct Place {
    Team* team;
    Member* member;
    void* work;
  };

  std::uint32_t threads_ = 1;
  std::uint64_t units_ = 0;
  Member* members_ = nullptr;
  Place* places_ = nullptr;
  char* stacks_ = nullptr;
  Duty fill_ = nullptr, loop_ = nullptr, finish_ = nullptr;
  Meeting meeting_;
  CutPoint cut_point_;
  SteadySeries series_;
  std::uint64_t next_sample_ = ~std::uint64_t{0}, sample_every_ = 0;
};

// The two functions of a workload whose threads each do what `Work` says.
template <typename Work>
class TeamOf {
 public:
  static void prepare(Context& context) {
    const std::uint32_t threads = Work::threads(context);
    std::uint32_t cpus = threads;
    if constexpr (requires { Work::threads_at_once(context); }) cpus = Work::threads_at_once(context);
    team_.prepare(context, threads, Work::units(context, threads), cpus);
    works_ = static_cast<Work*>(context.own_memory(sizeof(Work) * threads));
    for (std::uint32_t at = 0; at < threads; ++at)
      (new (&works_[at]) Work())->set_up(context, team_.member(at), team_);
  }

  static void run(Context& context) {
    team_.run(
        context, works_, sizeof(Work),
        [](void* work, Member& member, Team&) { static_cast<Work*>(work)->fill(member); }, loop,
        [](void* work, Member& member, Team&) { static_cast<Work*>(work)->finish(member); });
  }

 private:
  static void loop(void* work, Member& member, Team& team) {
    Work& mine = *static_cast<Work*>(work);
    std::uint32_t cuts = 0;
    for (std::uint64_t unit = 0; unit < team.units(); ++unit) {
      team.before_unit(member, unit, cuts);
      mine.step(member, unit);
    }
  }

  static inline Team team_;
  static inline Work* works_ = nullptr;
};

}  // namespace heapmark
