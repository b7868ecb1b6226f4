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
  bytes = round_up(bytes, 64);
  if (spare_ != nullptr && bytes == spare_bytes_) {
    void* memory = spare_;
    spare_ = nullptr;
    return memory;
  }
  if (bytes >= kChunk / 2) return map(round_up(bytes, kPageSize));
  if (end_ - next_ < bytes) {
    void* chunk = map(kChunk);
    if (chunk == nullptr) return nullptr;
    next_ = reinterpret_cast<std::uintptr_t>(chunk);
    end_ = next_ + kChunk;
  }
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
