// The free spans that hold written pages, by how many: one queue for each power of two, the longest in it
// first. So a sweep finds what gives most for one kernel call, and of that what has lain idle longest,
// without a search. A span that the kernel refused to purge (locked memory) is in no queue, so that no sweep
// waits for it.
#pragma once

#include <bit>

#include "allocators/brkmmap/span.h"

namespace brkmmap {

class DirtySpans {
 public:
  constexpr DirtySpans() = default;

  void insert(Span* span) noexcept {
    all_units_ += span->dirty_units;
    if (span->idle.refused) return;
    units_ += span->dirty_units;
    if (span->dirty_units < kUnitsAPage) return;
    Queue& queue = queue_of(span);
    span->idle.before = queue.last;
    span->idle.after = nullptr;
    (queue.last != nullptr ? queue.last->idle.after : queue.first) = span;
    queue.last = span;
  }
  void erase(Span* span) noexcept {
    all_units_ -= span->dirty_units;
    if (span->idle.refused) return;
    units_ -= span->dirty_units;
    if (span->dirty_units < kUnitsAPage) return;
    Queue& queue = queue_of(span);
    (span->idle.before != nullptr ? span->idle.before->idle.after : queue.first) = span->idle.after;
    (span->idle.after != nullptr ? span->idle.after->idle.before : queue.last) = span->idle.before;
  }

  static constexpr std::size_t kQueues = 64;
  // The span of queue `at` (dirty units from 2^at to below 2^(at + 1)) that has been in it longest.
  Span* longest_idle(std::size_t at) const noexcept { return queues_[at].first; }
  static Span* next(const Span* span) noexcept { return span->idle.after; }

  // Of all spans but refused ones, those of less than a page too.
  std::size_t units() const noexcept { return units_; }
  std::size_t all_units() const noexcept { return all_units_; }  // with refused ones

 private:
  struct Queue {
    Span* first = nullptr;
    Span* last = nullptr;
  };
  Queue& queue_of(const Span* span) noexcept {
    return queues_[static_cast<std::size_t>(std::bit_width(span->dirty_units)) - 1];
  }

  Queue queues_[kQueues];
  std::size_t units_ = 0;
  std::size_t all_units_ = 0;
};

}  // namespace brkmmap
