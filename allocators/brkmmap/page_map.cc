// See page_map.h.
#include "allocators/brkmmap/page_map.h"

#include <algorithm>

namespace brkmmap {

bool PageMap::ensure(std::uintptr_t start, std::uintptr_t end, Metadata& metadata) noexcept {
  constexpr std::uintptr_t kLeafBytes = std::uintptr_t{1} << kLeafShift;
  if ((end - 1) >> kAddressBits != 0) return false;
  for (std::uintptr_t at = round_down(start, kLeafBytes); at < end; at += kLeafBytes) {
    auto& leaf = root_[at >> kLeafShift];
    if (leaf.load(std::memory_order_relaxed) != nullptr) continue;
    void* memory = metadata.allocate(sizeof(Leaf));  // zeroed pages are empty entries
    if (memory == nullptr) return false;
    leaf.store(static_cast<Leaf*>(memory), std::memory_order_release);
    // The first leaf, for the brk heap, lies where mappings will lie: with a leaf for that region too, a
    // mapping made later costs no more address space than it asks for. The kernel goes downwards from here,
    // so the region below may be the next one's.
    if (!any_) {
      any_ = true;
      const std::uintptr_t own = reinterpret_cast<std::uintptr_t>(memory);
      constexpr std::uintptr_t kNear = std::uintptr_t{32} << 20;
      if (!ensure(own - kNear, own + kPageSize, metadata)) return true;  // tried again when it is needed
    }
  }
  return true;
}

bool PageMap::is_empty(const std::atomic<std::uintptr_t>* page) noexcept {
  return std::all_of(page, page + kEntriesAPage,
                     [](const auto& entry) { return entry.load(std::memory_order_relaxed) == 0; });
}

void PageMap::forget(std::uintptr_t start, std::uintptr_t end, Kernel& kernel) noexcept {
  constexpr std::uintptr_t kReach = kEntriesAPage << kPageShift;  // addresses that a page of a leaf is for
  end = round_up(end, kReach);
  for (std::uintptr_t at = round_up(start, kReach); at < end;) {
    Leaf* leaf = root_[at >> kLeafShift].load(std::memory_order_relaxed);
    const std::uintptr_t leaf_end = std::min(end, (at | ((std::uintptr_t{1} << kLeafShift) - 1)) + 1);
    if (leaf == nullptr) {
      at = leaf_end;
      continue;
    }
    auto* const from = &leaf->entries[at >> kPageShift & (kEntries - 1)];
    auto* to = from;
    for (; at < leaf_end && is_empty(to); at += kReach) to += kEntriesAPage;
    if (to != from) (void)kernel.purge(reinterpret_cast<std::uintptr_t>(from), (to - from) * sizeof(*to));
    if (at < leaf_end) at += kReach;  // this one is in use
  }
}

}  // namespace brkmmap
