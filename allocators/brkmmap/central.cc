// See central.h.
#include "allocators/brkmmap/central.h"

namespace brkmmap {

void Central::link(Span* span) noexcept {
  span->left = nullptr;
  span->right = partial_;
  if (partial_ != nullptr) partial_->left = span;
  partial_ = span;
}

void Central::unlink(Span* span) noexcept {
  (span->left != nullptr ? span->left->right : partial_) = span->right;
  if (span->right != nullptr) span->right->left = span->left;
  span->left = span->right = nullptr;
}

Object* Central::fetch(std::size_t index, std::size_t count, std::size_t* taken, PageHeap& pages,
                       PageMap& map, Lock& heap_lock) noexcept {
  const SizeClass& row = kSizeClasses[index];
  Object* list = nullptr;
  std::size_t got = 0;
  Guard guard(lock_);
  while (got < count) {
    Span* span = partial_;
    if (span == nullptr) {
      if (got != 0) break;  // what there is will do: no new span for the rest of a batch
      Guard heap_guard(heap_lock);
      bool zeroed = false;
      span = pages.allocate(row.pages, &zeroed);
      if (span == nullptr) break;
      span->size_class = static_cast<std::uint8_t>(index);
      span->used = 0;
      span->carved.store(0, std::memory_order_relaxed);
      span->objects = nullptr;
      span->state.store(SpanState::kSmall, std::memory_order_release);
      map.set_all(*span, span);
      span_bytes_ += span->bytes();
      link(span);
    }
    std::uint32_t carved = span->carved.load(std::memory_order_relaxed);
    while (got < count && span->used < row.objects) {
      Object* object = span->objects;
      if (object != nullptr) {
        span->objects = object->next;
      } else {
        object = reinterpret_cast<Object*>(span->start + std::size_t{carved} * row.size);
        ++carved;
      }
      object->next = list;
      list = object;
      ++span->used;
      ++got;
    }
    span->carved.store(carved, std::memory_order_relaxed);
    if (span->used == row.objects) unlink(span);
  }
  out_ += got;
  *taken = got;
  return list;
}

void Central::give_back(std::size_t index, Object* list, PageHeap& pages, PageMap& map,
                        Lock& heap_lock) noexcept {
  const SizeClass& row = kSizeClasses[index];
  Guard guard(lock_);
  while (list != nullptr) {
    Object* object = list;
    list = list->next;
    Span* span = map.get(reinterpret_cast<std::uintptr_t>(object));
    if (span->used == row.objects) link(span);
    object->next = span->objects;
    span->objects = object;
    --span->used;
    --out_;
    if (span->used != 0) continue;
    unlink(span);
    span_bytes_ -= span->bytes();
    Guard heap_guard(heap_lock);
    map.set_all(*span, nullptr);
    pages.free(span);
  }
}

}  // namespace brkmmap
