// See metadata.h.
#include "allocators/brkmmap/metadata.h"

#include <new>

namespace brkmmap {

void* Metadata::map(std::size_t bytes) noexcept {
  void* chunk = kernel_.map(bytes);
  if (chunk != nullptr) kernel_.metadata_bytes.fetch_add(bytes, std::memory_order_relaxed);
  return chunk;
}

bool Metadata::set_aside(std::size_t bytes) noexcept {
  if (spare_ == nullptr) {
    spare_ = map(bytes);
    spare_bytes_ = bytes;
  }
  return spare_ != nullptr;
}

void* Metadata::allocate(std::size_t bytes) noexcept {
  if (spare_ == nullptr || bytes != spare_bytes_) return map(round_up(bytes, kPageSize));
  void* memory = spare_;
  spare_ = nullptr;
  return memory;
}

void Metadata::link(Group* group) noexcept {
  group->previous = nullptr;
  group->next = with_room_;
  if (with_room_ != nullptr) with_room_->previous = group;
  with_room_ = group;
}

void Metadata::unlink(Group* group) noexcept {
  (group->previous != nullptr ? group->previous->next : with_room_) = group->next;
  if (group->next != nullptr) group->next->previous = group->previous;
}

Metadata::Group* Metadata::new_group() noexcept {
  if (end_ - next_ < kGroupBytes) {
    void* chunk = map(kChunk);
    if (chunk == nullptr) return nullptr;
    next_ = round_up(reinterpret_cast<std::uintptr_t>(chunk), kGroupBytes);
    end_ = reinterpret_cast<std::uintptr_t>(chunk) + kChunk;
  }
  auto* group = new (reinterpret_cast<void*>(next_)) Group{};
  next_ += kGroupBytes;
  link(group);
  return group;
}

Span* Metadata::new_span() noexcept {
  Group* group = with_room_ != nullptr ? with_room_ : new_group();
  if (group == nullptr) return nullptr;
  void* memory = group->unused;
  if (group->unused != nullptr) {
    group->unused = group->unused->right;
  } else {
    memory = reinterpret_cast<char*>(group) + ++group->fresh * sizeof(Span);
  }
  if (group == empty_) empty_ = nullptr;
  if (++group->live == kSpans) unlink(group);
  return new (memory) Span;
}

// A group that becomes empty gives its pages back, unless it is the only one: one is kept against thrash.
void Metadata::delete_span(Span* span) noexcept {
  auto* group = reinterpret_cast<Group*>(round_down(reinterpret_cast<std::uintptr_t>(span), kGroupBytes));
  span->state.store(SpanState::kUnused, std::memory_order_relaxed);
  span->right = group->unused;
  group->unused = span;
  if (group->live-- == kSpans) link(group);
  if (group->live != 0) return;
  if (empty_ == nullptr) {
    empty_ = group;
    return;
  }
  if ((group->fresh + 1) * sizeof(Span) <= kPageSize) return;  // no further page was touched
  const std::uintptr_t pages = reinterpret_cast<std::uintptr_t>(group) + kPageSize;
  if (!kernel_.purge(pages, kGroupBytes - kPageSize)) return;
  group->unused = nullptr;
  group->fresh = 0;
}

}  // namespace brkmmap
