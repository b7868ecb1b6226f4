// See metadata.h.
#include "allocators/brkmmap/metadata.h"

#include <new>

namespace brkmmap {

bool Metadata::reserve(std::size_t bytes) noexcept {
  if (end_ - next_ >= bytes) return true;
  const std::size_t size = bytes > kChunk ? round_up(bytes, kPageSize) : kChunk;
  void* chunk = kernel_.map(size);
  if (chunk == nullptr) return false;
  kernel_.metadata_bytes.fetch_add(size, std::memory_order_relaxed);
  next_ = reinterpret_cast<std::uintptr_t>(chunk);
  end_ = next_ + size;
  return true;
}

void* Metadata::allocate(std::size_t bytes) noexcept {
  bytes = round_up(bytes, 64);
  if (!reserve(bytes)) return nullptr;
  void* memory = reinterpret_cast<void*>(next_);
  next_ += bytes;
  return memory;
}

Span* Metadata::new_span() noexcept {
  void* memory = unused_;
  if (unused_ != nullptr) {
    unused_ = unused_->right;
  } else {
    memory = allocate(sizeof(Span));
  }
  return memory == nullptr ? nullptr : new (memory) Span;
}

void Metadata::delete_span(Span* span) noexcept {
  span->state.store(SpanState::kUnused, std::memory_order_relaxed);
  span->right = unused_;
  unused_ = span;
}

}  // namespace brkmmap
