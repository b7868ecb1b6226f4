// See team.h.
#include "workloads/team.h"

#include <cstring>

#include "workloads/threads.h"

namespace heapmark {

Block Member::take_zeroed(std::uint64_t bytes) {
  void* const memory = ask_zeroed(bytes);
  if (memory != nullptr && checking_) {
    const unsigned char* const from = static_cast<const unsigned char*>(memory);
    for (std::uint64_t at = 0; at < bytes; ++at)
      if (from[at] != 0) context_->fail(Outcome::kCheckFailed, "calloc gave memory that is not zero");
  }
  return accept(memory, bytes);
}

Block Member::take_aligned(std::uint64_t alignment, std::uint64_t bytes) {
  void* const memory = ask_aligned(alignment, bytes);
  if (memory == nullptr) refused();
  if (checking_ && reinterpret_cast<std::uintptr_t>(memory) % alignment != 0)
    context_->fail(Outcome::kCheckFailed, "posix_memalign gave a block that is not aligned as asked for");
  return accept(memory, bytes);
}

void Member::resize(Block& block, std::uint64_t bytes) {
  if (checking_) verify_pattern(*context_, block.memory, block.bytes, block.identity);
  void* const memory = ::heapmark::resize(block.memory, bytes);
  if (memory == nullptr) refused();
  if (checking_) verify_pattern(*context_, memory, bytes < block.bytes ? bytes : block.bytes, block.identity);
  add(freed_bytes_, block.bytes);
  block = accept(memory, bytes);
}

void Member::absorb(Member& ended) {
  add(asked_bytes_, ended.asked_bytes());
  add(freed_bytes_, ended.freed_bytes());
  operations_ += ended.operations_;
  ended.operations_ = 0;
  ended.asked_bytes_.store(0, std::memory_order_relaxed);
  ended.freed_bytes_.store(0, std::memory_order_relaxed);
}

void Member::refused() {
  context_->fail(Outcome::kOutOfMemory, "a request was refused: choose smaller sizes, or fewer live bytes");
}

void Team::prepare(Context& context, std::uint32_t threads, std::uint64_t units, std::uint32_t cpus) {
  threads_ = threads;
  units_ = units;
  context.uses_threads(cpus);
  meeting_.set_threads(threads);
  cut_point_.set_threads(threads);
  members_ = static_cast<Member*>(context.own_memory(sizeof(Member) * threads));
  places_ = static_cast<Place*>(context.own_memory(sizeof(Place) * threads));
  for (std::uint32_t at = 0; at < threads; ++at) (new (&members_[at]) Member())->set_up(context, at);
  if (threads > 1) stacks_ = static_cast<char*>(context.own_memory(kThreadStackBytes * (threads - 1)));
  series_.prepare(context);
  if (context.sampling()) sample_every_ = units / SteadySeries::kRegular + 1;
}

std::uint64_t Team::operations() const {
  std::uint64_t sum = 0;
  for (std::uint32_t at = 0; at < threads_; ++at) sum += members_[at].operations();
  return sum;
}

// Freed first: what is asked for meanwhile then only adds.
std::uint64_t Team::live_bytes(const Account& wave) const {
  std::uint64_t asked = wave.asked_bytes, freed = wave.freed_bytes;
  for (std::uint32_t at = 0; at < threads_; ++at) freed += members_[at].freed_bytes();
  for (std::uint32_t at = 0; at < threads_; ++at) asked += members_[at].asked_bytes();
  return asked > freed ? asked - freed : 0;
}

// Operations by the first member's count: the others' is not to be read while they work.
void Team::take_sample(const Member& first) {
  series_.add(first.context(), first.operations() * threads_, live_bytes({}));
}

void* Team::run_thread(void* argument) {
  const Place& place = *static_cast<Place*>(argument);
  Team& team = *place.team;
  team.fill_(place.work, *place.member, team);
  team.meeting_.wait();  // filled
  team.meeting_.wait();  // the clock runs
  team.loop_(place.work, *place.member, team);
  team.meeting_.wait();  // worked
  team.meeting_.wait();  // the clock stands
  team.finish_(place.work, *place.member, team);
  return nullptr;
}

void Team::run(Context& context, void* works, std::size_t work_bytes, Duty fill, Duty loop, Duty finish) {
  fill_ = fill;
  loop_ = loop;
  finish_ = finish;
  pthread_t threads[kMaxTeam];
  context.phase("fill");
  for (std::uint32_t at = 0; at < threads_; ++at) {
    places_[at] = {this, &members_[at], static_cast<char*>(works) + work_bytes * at};
    if (at > 0 &&
        !start_thread(&threads[at], stacks_ + kThreadStackBytes * (at - 1), run_thread, &places_[at]))
      context.fail(Outcome::kRefused, "a thread could not be started: choose fewer threads");
  }
  void* const own = places_[0].work;
  fill_(own, members_[0], *this);
  meeting_.wait();
  const std::uint64_t before = operations();
  context.phase("work");
  context.start_clock(units_);
  if (sample_every_ != 0) next_sample_ = sample_every_ - 1;
  meeting_.wait();
  loop_(own, members_[0], *this);
  meeting_.wait();
  context.stop_clock(units_, operations() - before);
  context.phase("free all");
  meeting_.wait();
  finish_(own, members_[0], *this);
  for (std::uint32_t at = 1; at < threads_; ++at) pthread_join(threads[at], nullptr);
  const Observation freed = context.observe();
  if (live_bytes({}) != 0)
    context.fail(Outcome::kCheckFailed, "a defect of the workload: it did not free everything");
  context.sample(operations(), 0);
  if (context.pass() == kMemory) series_.report(context, freed);
}

}  // namespace heapmark
