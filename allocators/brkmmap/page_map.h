// Which span an address belongs to: a radix tree of three levels of 4096 entries over 48-bit addresses; a
// leaf covers 16 MiB. Read without a lock; written under the heap's lock.
#pragma once

#include <atomic>

#include "allocators/brkmmap/metadata.h"

namespace brkmmap {

class PageMap {
 public:
  static constexpr std::size_t kMostForOnePage = 2 * 4096 * sizeof(void*);  // metadata that ensure() may take

  explicit constexpr PageMap(Metadata& metadata) noexcept : metadata_(metadata) {}

  Span* get(std::uintptr_t address) const noexcept {
    if (address >> 48 != 0) return nullptr;
    const Middle* middle = root_[address >> 36].load(std::memory_order_acquire);
    if (middle == nullptr) return nullptr;
    const Leaf* leaf = middle->leaves[address >> 24 & 4095].load(std::memory_order_acquire);
    if (leaf == nullptr) return nullptr;
    return leaf->spans[address >> 12 & 4095].load(std::memory_order_acquire);
  }
  // Makes room for the pages of [start, end). False where metadata cannot be had.
  [[nodiscard]] bool ensure(std::uintptr_t start, std::uintptr_t end) noexcept;
  // Precondition: ensured.
  void set(std::uintptr_t address, Span* span) noexcept {
    Middle* middle = root_[address >> 36].load(std::memory_order_relaxed);
    Leaf* leaf = middle->leaves[address >> 24 & 4095].load(std::memory_order_relaxed);
    leaf->spans[address >> 12 & 4095].store(span, std::memory_order_release);
  }
  void set_ends(const Span& span, Span* value) noexcept {
    set(span.start, value);
    set(span.end() - kPageSize, value);
  }
  void set_all(const Span& span, Span* value) noexcept {
    for (std::uintptr_t page = span.start; page != span.end(); page += kPageSize) set(page, value);
  }

 private:
  struct Leaf {
    std::atomic<Span*> spans[4096];
  };
  struct Middle {
    std::atomic<Leaf*> leaves[4096];
  };

  Metadata& metadata_;
  std::atomic<Middle*> root_[4096]{};
};

}  // namespace brkmmap
