// See page_map.h.
#include "allocators/brkmmap/page_map.h"

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

}  // namespace brkmmap
