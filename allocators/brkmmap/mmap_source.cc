// See mmap_source.h.
#include "allocators/brkmmap/mmap_source.h"

#include <algorithm>

namespace brkmmap {

// munmap in the middle of a larger mapping can be refused (max_map_count): then the page heap keeps the
// pages.
void MmapSource::give_back(std::uintptr_t start, std::size_t bytes) noexcept {
  if (bytes == 0 || kernel_.unmap(start, bytes)) return;
  Guard guard(lock_);
  Span* span = map_.ensure(start, start + kPageSize, metadata_) ? metadata_.new_span() : nullptr;
  if (span == nullptr) return;
  span->start = start;
  span->units = bytes >> kUnitShift;
  pages_.adopt(span);
}

void* MmapSource::allocate(std::size_t pages, std::size_t alignment) noexcept {
  const std::size_t bytes = pages << kPageShift;
  const std::size_t slack = std::max(alignment, kPageSize) - kPageSize;
  void* memory = kernel_.map(bytes + slack);
  if (memory == nullptr) {
    Guard guard(lock_);
    if (pages_.release_everything()) memory = kernel_.map(bytes + slack);
    if (memory == nullptr) return nullptr;
  }
  const std::uintptr_t mapped = reinterpret_cast<std::uintptr_t>(memory);
  const std::uintptr_t start = round_up(mapped, alignment);
  give_back(mapped, start - mapped);
  give_back(start + bytes, slack - (start - mapped));
  {
    Guard guard(lock_);
    Span* span = map_.ensure(start, start + kPageSize, metadata_) ? metadata_.new_span() : nullptr;
    if (span != nullptr) {
      span->start = start;
      span->units = pages * kUnitsAPage;
      span->state.store(SpanState::kMapped, std::memory_order_relaxed);
      map_.set(start, PageEntry::of(span));
      if (hysteresis_.watching()) hysteresis_.took(bytes, os::milliseconds());
      bytes_.fetch_add(bytes, std::memory_order_relaxed);
      count_.fetch_add(1, std::memory_order_relaxed);
      return reinterpret_cast<void*>(start);
    }
  }
  give_back(start, bytes);
  return nullptr;
}

void MmapSource::free(Span* span) noexcept {
  const std::uintptr_t start = span->start;
  const std::size_t bytes = span->bytes();
  {
    Guard guard(lock_);  // forgotten first: once unmapped, another thread may be given the addresses
    map_.set(start, PageEntry());
    metadata_.delete_span(span);
    hysteresis_.gave_back(bytes, os::milliseconds());
    bytes_.fetch_sub(bytes, std::memory_order_relaxed);
    count_.fetch_sub(1, std::memory_order_relaxed);
  }
  give_back(start, bytes);
}

void* MmapSource::resize(Span* span, std::size_t pages) noexcept {
  Guard guard(lock_);
  // What the tables may need in the new place is set aside first: a moved block cannot be refused any more.
  if (!metadata_.set_aside(PageMap::kMostForOnePage)) return nullptr;
  const std::size_t old_bytes = span->bytes();
  const std::size_t new_bytes = pages << kPageShift;
  void* moved = kernel_.remap(span->start, old_bytes, new_bytes);
  if (moved == nullptr && pages_.release_everything())
    moved = kernel_.remap(span->start, old_bytes, new_bytes);
  if (moved == nullptr) return nullptr;
  map_.set(span->start, PageEntry());
  span->start = reinterpret_cast<std::uintptr_t>(moved);
  span->units = pages * kUnitsAPage;
  if (!map_.ensure(span->start, span->start + kPageSize, metadata_))
    return nullptr;  // cannot be: set aside above
  map_.set(span->start, PageEntry::of(span));
  bytes_.fetch_add(new_bytes - old_bytes, std::memory_order_relaxed);
  return moved;
}

}  // namespace brkmmap
