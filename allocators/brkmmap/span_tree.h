// Spans in the order of (units, address): a treap whose priorities are a hash of the address, so that every
// operation is logarithmic as expected and equal histories give equal trees. Links live in the spans.
#pragma once

#include "allocators/brkmmap/span.h"

namespace brkmmap {

class SpanTree {
 public:
  constexpr SpanTree() = default;
  void insert(Span* span) noexcept;
  void erase(Span* span) noexcept;
  // The smallest span of at least `units`, the lowest address among equals; null where there is none.
  Span* best_fit(std::size_t units) const noexcept;
  // Null where there is none.
  Span* smallest() const noexcept { return best_fit(0); }
  Span* largest() const noexcept;
  // The next one in the tree's order; null after the last.
  Span* after(const Span* span) const noexcept;
  std::size_t count() const noexcept { return count_; }
  std::size_t units() const noexcept { return units_; }

 private:
  Span* root_ = nullptr;
  std::size_t count_ = 0;
  std::size_t units_ = 0;
};

}  // namespace brkmmap
