// See page_map.h.
#include "allocators/brkmmap/page_map.h"

namespace brkmmap {

bool PageMap::ensure(std::uintptr_t start, std::uintptr_t end) noexcept {
  constexpr std::uintptr_t kLeafBytes = std::uintptr_t{1} << 24;
  if ((end - 1) >> 48 != 0) return false;
  for (std::uintptr_t at = round_down(start, kLeafBytes); at < end; at += kLeafBytes) {
    auto& middle = root_[at >> 36];
    if (middle.load(std::memory_order_relaxed) == nullptr) {
      void* memory = metadata_.allocate(sizeof(Middle));  // zeroed pages are null pointers
      if (memory == nullptr) return false;
      middle.store(static_cast<Middle*>(memory), std::memory_order_release);
    }
    auto& leaf = middle.load(std::memory_order_relaxed)->leaves[at >> 24 & 4095];
    if (leaf.load(std::memory_order_relaxed) == nullptr) {
      void* memory = metadata_.allocate(sizeof(Leaf));
      if (memory == nullptr) return false;
      leaf.store(static_cast<Leaf*>(memory), std::memory_order_release);
    }
  }
  return true;
}

}  // namespace brkmmap
