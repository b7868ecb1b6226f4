// See free_spans.h.
#include "allocators/brkmmap/free_spans.h"

namespace brkmmap {

void FreeSpans::insert(Span* span) noexcept {
  ++count_;
  units_ += span->units;
  dirty_.insert(span);
  if (span->units >= kLists) return large_.insert(span);
  Span*& first = lists_[span->units];
  if (first == nullptr || span->start < first->start) {
    span->left = nullptr;
    span->right = first;
    if (first != nullptr) first->left = span;
    first = span;
  } else {
    span->left = first;
    span->right = first->right;
    if (first->right != nullptr) first->right->left = span;
    first->right = span;
  }
  occupied_[span->units / 64] |= std::uint64_t{1} << span->units % 64;
}

void FreeSpans::erase(Span* span) noexcept {
  --count_;
  units_ -= span->units;
  dirty_.erase(span);
  if (span->units >= kLists) return large_.erase(span);
  Span*& first = lists_[span->units];
  (span->left != nullptr ? span->left->right : first) = span->right;
  if (span->right != nullptr) span->right->left = span->left;
  if (first == nullptr) occupied_[span->units / 64] &= ~(std::uint64_t{1} << span->units % 64);
}

Span* FreeSpans::first_from(std::size_t units) const noexcept {
  if (units < kLists) {
    std::size_t word = units / 64;
    std::uint64_t bits = occupied_[word] >> units % 64 << units % 64;
    while (bits == 0 && ++word < kLists / 64) bits = occupied_[word];
    if (bits != 0) return lists_[word * 64 + static_cast<std::size_t>(std::countr_zero(bits))];
  }
  return large_.best_fit(units);
}

Span* FreeSpans::best_fit(std::size_t units) const noexcept {
  return first_from(units);
}

Span* FreeSpans::upward(const Span* span) const noexcept {
  if (span->units >= kLists) return large_.after(span);
  return span->right != nullptr ? span->right : first_from(span->units + 1);
}

}  // namespace brkmmap
