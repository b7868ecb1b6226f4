// Memory for the allocator's own tables: mapped in chunks, cut in order, never given back; descriptions of
// spans are used again. Caller holds the heap's lock.
#pragma once

#include "allocators/brkmmap/kernel.h"
#include "allocators/brkmmap/span.h"

namespace brkmmap {

class Metadata {
 public:
  explicit constexpr Metadata(Kernel& kernel) noexcept : kernel_(kernel) {}

  // Zeroed, aligned to 64 bytes. Null where the kernel refuses.
  [[nodiscard]] void* allocate(std::size_t bytes) noexcept;
  // Makes the next allocations up to `bytes` in all certain. False where the kernel refuses.
  [[nodiscard]] bool reserve(std::size_t bytes) noexcept;
  [[nodiscard]] Span* new_span() noexcept;
  void delete_span(Span* span) noexcept;

 private:
  static constexpr std::size_t kChunk = 256 * 1024;

  Kernel& kernel_;
  std::uintptr_t next_ = 0;
  std::uintptr_t end_ = 0;
  Span* unused_ = nullptr;
};

}  // namespace brkmmap
