// Threads that come, work and end together, wave after wave, started by the first thread of a workload: each
// new one is a thread that the allocator has never seen. Their accounts are taken over by the first.
#pragma once

#include "workloads/team.h"
#include "workloads/threads.h"

namespace heapmark {

class ThreadWave {
 public:
  using Function = void (*)(Member&, void* work);

  // prepare() only. Members are numbered from 1; each place of a wave keeps its random stream.
  void set_up(Context& context, std::uint32_t threads) {
    threads_ = threads;
    places_ = static_cast<Place*>(context.own_memory(threads * sizeof(Place)));
    stacks_ = static_cast<char*>(context.own_memory(threads * kThreadStackBytes));
    for (std::uint32_t at = 0; at < threads; ++at)
      (new (&places_[at]) Place())->member.set_up(context, at + 1);
  }

  // Starts all threads of a wave, the n-th on the n-th of `works`, and returns once all have ended.
  void run(Member& first, Function function, void* works, std::size_t work_bytes) {
    for (std::uint32_t at = 0; at < threads_; ++at) {
      Place& place = places_[at];
      place.function = function;
      place.work = static_cast<char*>(works) + at * work_bytes;
      if (!start_thread(&place.thread, stacks_ + at * kThreadStackBytes, call, &place))
        first.context().fail(Outcome::kRefused, "a thread could not be started: choose fewer threads");
    }
    for (std::uint32_t at = 0; at < threads_; ++at) {
      pthread_join(places_[at].thread, nullptr);
      first.absorb(places_[at].member);
    }
  }

  // To be called by threads of the wave, in the midst of their work: the one of the first place takes a
  // sample in the memory pass, since between waves there may be nothing to be seen.
  void sample(Team& team, const Member& caller) const {
    if (caller.number() != 1 || !caller.context().sampling()) return;
    Team::Account account{caller.operations() * threads_, 0, 0};
    // Freed first: what is asked for meanwhile then only adds.
    for (std::uint32_t at = 0; at < threads_; ++at) account.freed_bytes += places_[at].member.freed_bytes();
    for (std::uint32_t at = 0; at < threads_; ++at) account.asked_bytes += places_[at].member.asked_bytes();
    team.sample(caller.context(), account);
  }

 private:
  struct Place {
    Member member;
    pthread_t thread;
    Function function;
    void* work;
  };
  static void* call(void* argument) {
    Place& place = *static_cast<Place*>(argument);
    place.function(place.member, place.work);
    return nullptr;
  }

  std::uint32_t threads_ = 0;
  Place* places_ = nullptr;
  char* stacks_ = nullptr;
};

}  // namespace heapmark
