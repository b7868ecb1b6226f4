// See page_map.h.
#include "allocators/brkmmap/page_map.h"

namespace brkmmap {

// All leaves that are missing come from one mapping: either all are had or none.
bool PageMap::ensure(std::uintptr_t start, std::uintptr_t end, Metadata& metadata) noexcept {
  if ((end - 1) >> kAddressBits != 0) return false;
  const std::size_t first = start >> kLeafShift, last = (end - 1) >> kLeafShift;
  std::size_t missing = 0;
  for (std::size_t at = first; at <= last; ++at)
    missing += root_[at].load(std::memory_order_relaxed) == nullptr;
  if (missing == 0) return true;
  auto* leaf = static_cast<Leaf*>(metadata.allocate(missing * sizeof(Leaf)));  // zeroed: empty entries
  if (leaf == nullptr) return false;
  // The first leaf, for the brk heap, lies where mappings will lie: with a leaf for that region too, a
  // mapping made later costs no more address space than it asks for. The kernel goes downwards from here,
  // so the region below may be the next one's.
  const std::uintptr_t own = reinterpret_cast<std::uintptr_t>(leaf);
  for (std::size_t at = first; at <= last; ++at)
    if (root_[at].load(std::memory_order_relaxed) == nullptr)
      root_[at].store(leaf++, std::memory_order_release);
  constexpr std::uintptr_t kNear = std::uintptr_t{32} << 20;
  const bool is_first = !std::exchange(any_, true);
  if (is_first && !ensure(own - kNear, own + kPageSize, metadata)) return true;  // again when it is needed
  return true;
}

}  // namespace brkmmap
