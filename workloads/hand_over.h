// Places at which threads leave blocks for one another: a thread exchanges a batch of its own for the batch
// that another left there. Each exchange leaves as many blocks as before, so the work is the same whoever
// comes first. A thread that finds a place in use goes on to the next.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

#include "workloads/team.h"

namespace heapmark {

class HandOver {
 public:
  // prepare() only. `places`: more than threads that exchange at one time.
  void set_up(Context& context, std::uint64_t places, std::uint64_t batch) {
    places_ = static_cast<Place*>(context.own_memory(places * sizeof(Place)));
    place_count_ = places;
    batch_ = batch;
    blocks_ = static_cast<Block*>(context.own_memory(places * batch * sizeof(Block)));
  }
  // By one thread, before others exchange.
  template <typename Take>
  void fill(Member& member, const Take& take) {
    for (std::uint64_t at = 0; at < place_count_ * batch_; ++at) blocks_[at] = take(member);
  }
  // Leaves these blocks, a batch, and takes those that lay there. `next`: the caller's own, any at first.
  void exchange(Block* batch, std::uint64_t& next) {
    for (;; ++next) {
      Place& place = places_[next % place_count_];
      if (place.busy.exchange(true, std::memory_order_acquire)) continue;
      Block* const lying = blocks_ + next % place_count_ * batch_;
      for (std::uint64_t at = 0; at < batch_; ++at) std::swap(batch[at], lying[at]);
      place.busy.store(false, std::memory_order_release);
      ++next;
      return;
    }
  }
  // By one thread, once all others have ended.
  void free_all(Member& member) {
    for (std::uint64_t at = 0; at < place_count_ * batch_; ++at) member.give_back_if_any(blocks_[at]);
  }

 private:
  struct alignas(64) Place {
    std::atomic<bool> busy;
  };
  Place* places_ = nullptr;
  Block* blocks_ = nullptr;
  std::uint64_t place_count_ = 1, batch_ = 1;
};

}  // namespace heapmark
