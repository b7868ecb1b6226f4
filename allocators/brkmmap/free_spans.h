// The free spans by size: a list for each size below 256 units, a tree (span_tree.h) for the larger ones.
// Best fit takes a bit scan for the small ones, which are nearly all, and logarithmic time for the rest;
// among equals low addresses are preferred, in the lists by keeping the lowest of what comes first, so that
// the top empties. Also keeps what may have been written in order (dirty_spans.h).
#pragma once

#include <bit>

#include "allocators/brkmmap/dirty_spans.h"
#include "allocators/brkmmap/span_tree.h"

namespace brkmmap {

class FreeSpans {
 public:
  constexpr FreeSpans() = default;
  void insert(Span* span) noexcept;
  void erase(Span* span) noexcept;
  // A smallest span of at least `units`; null where there is none.
  Span* best_fit(std::size_t units) const noexcept;
  // From any span on through its equals and all larger ones.
  Span* upward(const Span* span) const noexcept;

  std::size_t count() const noexcept { return count_; }
  std::size_t units() const noexcept { return units_; }
  const DirtySpans& dirty() const noexcept { return dirty_; }
  // Runs change(), which sets what is known of the written pages of a span that is in here.
  template <typename Change>
  void update_dirty(Span* span, Change change) noexcept {
    dirty_.erase(span);
    change();
    dirty_.insert(span);
  }

 private:
  static constexpr std::size_t kLists = 256;  // [0] stays empty
  Span* first_from(std::size_t units) const noexcept;

  Span* lists_[kLists] = {};
  std::uint64_t occupied_[kLists / 64] = {};
  SpanTree large_;
  std::size_t count_ = 0;
  std::size_t units_ = 0;
  DirtySpans dirty_;
};

}  // namespace brkmmap
