// Blocks, or batches of them, on their way from threads that ask for them to threads that free them: a queue
// of fixed room for any number of writers and readers, which wait while it is full or empty. A ticket for
// each place: a writer of ticket t writes into place t % room once the place's turn says so, and the reader
// of ticket t likewise.
#pragma once

#include <sched.h>

#include <atomic>
#include <cstdint>

#include "workloads/blocks.h"

namespace heapmark {

template <typename Item = Block>
class BoundedQueue {
 public:
  // prepare() only.
  void set_up(Context& context, std::uint64_t room) {
    places_ = static_cast<Place*>(context.own_memory(room * sizeof(Place)));
    room_ = room;
  }

  void put(const Item& item) {
    const std::uint64_t ticket = written_.fetch_add(1, std::memory_order_relaxed);
    Place& place = places_[ticket % room_];
    await(place, 2 * (ticket / room_));
    place.item = item;
    place.turn.store(2 * (ticket / room_) + 1, std::memory_order_release);
  }

  Item take() {
    const std::uint64_t ticket = read_.fetch_add(1, std::memory_order_relaxed);
    Place& place = places_[ticket % room_];
    await(place, 2 * (ticket / room_) + 1);
    const Item item = place.item;
    place.turn.store(2 * (ticket / room_) + 2, std::memory_order_release);
    return item;
  }

 private:
  struct Place {
    alignas(64) std::atomic<std::uint64_t> turn;  // 2 * round: to be written; 2 * round + 1: to be read
    Item item;
  };

  // There may be fewer CPUs than threads, so who waits lets others run.
  static void await(const Place& place, std::uint64_t turn) {
    while (place.turn.load(std::memory_order_acquire) != turn) sched_yield();
  }

  Place* places_ = nullptr;
  std::uint64_t room_ = 1;
  alignas(64) std::atomic<std::uint64_t> written_{0};
  alignas(64) std::atomic<std::uint64_t> read_{0};
};

}  // namespace heapmark
