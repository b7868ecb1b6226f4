// Which span an address belongs to: a radix tree of two levels over the addresses of a user process. The root
// is large but all zero, so that only what is used of it costs memory; a leaf covers 256 MiB. An entry tells
// what most frees need to know, so that they need no look at most of the description. Read without a lock;
// written under the heap's lock.
#pragma once

#include <atomic>
#include <utility>

#include "allocators/brkmmap/metadata.h"
#include "allocators/brkmmap/size_classes.h"

namespace brkmmap {

// What the map holds for a page: in the upper 48 bits a span; in the lower, of a slab, its kind (3 bits, from
// 1 on) and which of its pages this is (5 bits); of a block, the unit of the page in which it begins (2 bits,
// behind a kind of 0) and, where a thread may keep it, its class (8 bits).
class PageEntry {
 public:
  constexpr PageEntry() = default;
  explicit PageEntry(std::uintptr_t bits) noexcept : bits_(bits) {}
  static PageEntry of(Span* span) noexcept {
    return PageEntry(address(span) | (span->start >> kUnitShift & (kUnitsAPage - 1)) << 3);
  }
  static PageEntry of_block(Span* span) noexcept {
    const std::size_t bytes = span->bytes();
    const std::size_t index = bytes > kMaxSmall && bytes <= kMaxCached ? class_of(bytes) + 1 : 0;
    return PageEntry(of(span).bits_ | index << 8);
  }
  static PageEntry of_slab(Span* span, std::size_t page) noexcept {
    return PageEntry(address(span) | page << 3 | (span->kind + std::size_t{1}));
  }
  Span* span() const noexcept { return reinterpret_cast<Span*>(bits_ >> 16); }
  bool is_slab() const noexcept { return (bits_ & 7) != 0; }
  // Of a slab of one of the two kinds of the smallest objects.
  bool is_tiny() const noexcept { return (bits_ & 7) - 1 < 2; }
  std::size_t kind() const noexcept { return (bits_ & 7) - 1; }
  std::size_t page() const noexcept { return bits_ >> 3 & 31; }                 // of the slab
  std::size_t unit() const noexcept { return bits_ >> 3 & (kUnitsAPage - 1); }  // where a block begins
  bool has_class() const noexcept { return (bits_ & 0xff00) != 0; }
  std::size_t index() const noexcept { return (bits_ >> 8 & 0xff) - 1; }
  std::uintptr_t bits() const noexcept { return bits_; }

 private:
  static_assert(kClasses < 256 && kKinds < 8 && slab_pages(kKinds - 1) <= 32);
  static std::uintptr_t address(const Span* span) noexcept {
    return reinterpret_cast<std::uintptr_t>(span) << 16;
  }

  std::uintptr_t bits_ = 0;
};

class PageMap {
 public:
#if defined(__x86_64__)
  static constexpr std::size_t kAddressBits = 47;  // Linux gives user space the lower half
#else
  static constexpr std::size_t kAddressBits = 48;
#endif
  static constexpr std::size_t kLeafBits = 16;
  static constexpr std::size_t kLeafShift = kPageShift + kLeafBits;
  static constexpr std::size_t kMostForOnePage = sizeof(void*)
                                                 << kLeafBits;  // metadata that ensure() may take

  constexpr PageMap() = default;

  PageEntry get(std::uintptr_t address) const noexcept {
    if (address >> kAddressBits != 0) [[unlikely]]
      return PageEntry();
    const Leaf* leaf = root_[address >> kLeafShift].load(std::memory_order_acquire);
    if (leaf == nullptr) [[unlikely]]
      return PageEntry();
    return PageEntry(leaf->entries[address >> kPageShift & (kEntries - 1)].load(std::memory_order_acquire));
  }
  // Makes room for the pages of [start, end). False, and nothing changed, where metadata cannot be had.
  [[nodiscard]] bool ensure(std::uintptr_t start, std::uintptr_t end, Metadata& metadata) noexcept;
  // Precondition: ensured.
  void set(std::uintptr_t address, PageEntry entry) noexcept {
    Leaf* leaf = root_[address >> kLeafShift].load(std::memory_order_relaxed);
    leaf->entries[address >> kPageShift & (kEntries - 1)].store(entry.bits(), std::memory_order_release);
  }

 private:
  static constexpr std::size_t kEntries = std::size_t{1} << kLeafBits;
  struct Leaf {
    std::atomic<std::uintptr_t> entries[kEntries];
  };

  std::atomic<Leaf*> root_[std::size_t{1} << (kAddressBits - kLeafShift)]{};
  bool any_ = false;  // leaf yet
};

}  // namespace brkmmap
