// See span_tree.h.
#include "allocators/brkmmap/span_tree.h"

namespace brkmmap {
namespace {

bool less(const Span* a, const Span* b) noexcept {
  return a->units != b->units ? a->units < b->units : a->start < b->start;
}

std::uint64_t priority(const Span* span) noexcept {
  std::uint64_t x = span->start >> kUnitShift;
  x *= 0x9e3779b97f4a7c15;
  return x ^ x >> 29;
}

}  // namespace

void SpanTree::insert(Span* span) noexcept {
  Span** link = &root_;
  while (*link != nullptr && priority(*link) >= priority(span)) {
    link = less(span, *link) ? &(*link)->left : &(*link)->right;
  }
  // Split what hangs here into what comes before the new span and what comes after.
  Span* rest = *link;
  *link = span;
  Span** smaller = &span->left;
  Span** larger = &span->right;
  while (rest != nullptr) {
    if (less(rest, span)) {
      *smaller = rest;
      smaller = &rest->right;
      rest = rest->right;
    } else {
      *larger = rest;
      larger = &rest->left;
      rest = rest->left;
    }
  }
  *smaller = nullptr;
  *larger = nullptr;
  ++count_;
  units_ += span->units;
}

void SpanTree::erase(Span* span) noexcept {
  Span** link = &root_;
  while (*link != span) link = less(span, *link) ? &(*link)->left : &(*link)->right;
  Span* left = span->left;
  Span* right = span->right;
  while (left != nullptr && right != nullptr) {
    if (priority(left) >= priority(right)) {
      *link = left;
      link = &left->right;
      left = left->right;
    } else {
      *link = right;
      link = &right->left;
      right = right->left;
    }
  }
  *link = left != nullptr ? left : right;
  span->left = span->right = nullptr;
  --count_;
  units_ -= span->units;
}

Span* SpanTree::best_fit(std::size_t units) const noexcept {
  Span* found = nullptr;
  for (Span* at = root_; at != nullptr;) {
    if (at->units >= units) {
      found = at;
      at = at->left;
    } else {
      at = at->right;
    }
  }
  return found;
}

Span* SpanTree::largest() const noexcept {
  Span* at = root_;
  while (at != nullptr && at->right != nullptr) at = at->right;
  return at;
}

Span* SpanTree::after(const Span* span) const noexcept {
  Span* found = nullptr;
  for (Span* at = root_; at != nullptr;) {
    if (less(span, at)) {
      found = at;
      at = at->left;
    } else {
      at = at->right;
    }
  }
  return found;
}

}  // namespace brkmmap
