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
  // Sets memory for one table of `bytes` aside, where that isn't so already: the next allocation of just that
  // size is certain. False where the kernel refuses.
  [[nodiscard]] bool set_aside(std::size_t bytes) noexcept;
  [[nodiscard]] Span* new_span() noexcept;
  void delete_span(Span* span) noexcept;

 private:
  static constexpr std::size_t kChunk = 256 * 1024;

  void* map(std::size_t bytes) noexcept;

  Kernel& kernel_;
  void* spare_ = nullptr;
  std::size_t spare_bytes_ = 0;
  std::uintptr_t next_ = 0;
  std::uintptr_t end_ = 0;
  Span* unused_ = nullptr;
};

}  // namespace brkmmap
