// Memory for the caches of threads: one page each, from chunks of 256 KiB. Pages of ended threads are used
// for the next ones; above some, those that are unused are purged. Caller holds the heap's lock.
#pragma once

#include <bit>

#include "allocators/brkmmap/metadata.h"

namespace brkmmap {

class CachePool {
 public:
  constexpr CachePool(Kernel& kernel, Metadata& metadata) noexcept : kernel_(kernel), metadata_(metadata) {}

  // A page, not zeroed. Null where the kernel refuses.
  [[nodiscard]] void* take() noexcept {
    Chunk* chunk = first_;
    while (chunk != nullptr && ~chunk->used == 0) chunk = chunk->next;
    if (chunk == nullptr) {
      void* const memory = metadata_.allocate(kPages * kPageSize);
      if (memory == nullptr) return nullptr;
      chunk = first_ = new (memory) Chunk{first_, 1, 1};  // the first page is the chunk's own
    }
    // Resident ones first: a purged page would have to be faulted in.
    const std::uint64_t idle = chunk->resident & ~chunk->used;
    const int page = std::countr_zero(idle != 0 ? idle : ~chunk->used);
    if (idle != 0) --idle_pages_;
    chunk->used |= std::uint64_t{1} << page;
    chunk->resident |= std::uint64_t{1} << page;
    return reinterpret_cast<char*>(chunk) + static_cast<std::size_t>(page) * kPageSize;
  }
  void give_back(void* memory) noexcept {
    const auto address = reinterpret_cast<std::uintptr_t>(memory);
    Chunk* chunk = first_;
    while (address - reinterpret_cast<std::uintptr_t>(chunk) >= kPages * kPageSize) chunk = chunk->next;
    chunk->used &= ~(std::uint64_t{1} << (address - reinterpret_cast<std::uintptr_t>(chunk)) / kPageSize);
    if (++idle_pages_ > purge_above_) purge();
  }

 private:
  static constexpr std::size_t kPages = 64;
  static constexpr std::size_t kIdlePages = 16;  // kept resident for the next threads
  struct Chunk {
    Chunk* next;
    std::uint64_t used, resident;  // by page
  };

  // Where the kernel refuses, the next attempt waits until twice as many are idle.
  void purge() noexcept {
    for (Chunk* chunk = first_; chunk != nullptr; chunk = chunk->next) {
      const std::uint64_t idle = chunk->resident & ~chunk->used;
      each_run(
          kPages, [&](std::size_t page) { return (idle >> page & 1) != 0; },
          [&](std::size_t page, std::size_t end) {
            const std::uintptr_t start = reinterpret_cast<std::uintptr_t>(chunk) + page * kPageSize;
            if (!kernel_.purge(start, (end - page) * kPageSize)) return;
            for (std::size_t at = page; at < end; ++at) chunk->resident &= ~(std::uint64_t{1} << at);
            idle_pages_ -= end - page;
          });
    }
    purge_above_ = idle_pages_ == 0 ? kIdlePages : 2 * idle_pages_ + kIdlePages;
  }

  Kernel& kernel_;
  Metadata& metadata_;
  Chunk* first_ = nullptr;
  std::size_t idle_pages_ = 0;  // resident and unused
  std::size_t purge_above_ = kIdlePages;
};

}  // namespace brkmmap
