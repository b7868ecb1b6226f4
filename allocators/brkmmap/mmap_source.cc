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
  if (span == nullptr) return metadata_.lose(bytes);
  span->start = start;
  span->units = bytes >> kUnitShift;
  pages_.adopt(span);
}

// Address of new pages; null where the kernel refuses.
void* MmapSource::from_kernel(std::size_t bytes, std::size_t alignment) noexcept {
  const std::size_t slack = std::max(alignment, kPageSize) - kPageSize;
  void* memory = kernel_.map(bytes + slack);
  if (memory == nullptr && !kernel_.is_hopeless(bytes + slack)) {
    Guard guard(lock_);
    if (pages_.release_everything()) memory = kernel_.map(bytes + slack);
  }
  if (memory == nullptr) return nullptr;
  const std::uintptr_t mapped = reinterpret_cast<std::uintptr_t>(memory);
  const std::uintptr_t start = round_up(mapped, alignment);
  give_back(mapped, start - mapped);
  give_back(start + bytes, slack - (start - mapped));
  return reinterpret_cast<void*>(start);
}

void MmapSource::took(std::size_t bytes) noexcept {
  hysteresis_.note_live(pages_.live_bytes());
  if (hysteresis_.watching()) hysteresis_.took(bytes, os::milliseconds());
  if (heap_hysteresis_.watching()) heap_hysteresis_.took(bytes, os::milliseconds());
}

// A range of kept pages, where there is one. What it has of new ones had been given back too early.
Span* MmapSource::from_kept(std::size_t bytes, std::size_t* dirty_bytes) noexcept {
  std::size_t kept_units = 0;
  Span* span = kept_.take(bytes >> kUnitShift, &kept_units);
  if (span != nullptr) took((span->units - kept_units) << kUnitShift);
  *dirty_bytes = kept_units << kUnitShift;
  return span;
}

// Each part of a block may be a mapping of the kernel's.
void MmapSource::count_parts(const Span* span, std::ptrdiff_t sign) noexcept {
  for (; span != nullptr; span = span->above)
    kernel_.pieces.fetch_add(static_cast<std::size_t>(sign), std::memory_order_relaxed);
}

// Null where the tables cannot take it in.
void* MmapSource::enter(Span* span) noexcept {
  if (!map_.ensure(span->start, span->start + kPageSize, metadata_)) return nullptr;
  span->state.store(SpanState::kMapped, std::memory_order_relaxed);
  map_.set(span->start, PageEntry::of(span));
  bytes_.fetch_add(span->bytes(), std::memory_order_relaxed);
  count_.fetch_add(1, std::memory_order_relaxed);
  count_parts(span, 1);
  heap_hysteresis_.note_live(pages_.live_bytes());
  return reinterpret_cast<void*>(span->start);
}

void* MmapSource::allocate(std::size_t pages, std::size_t alignment, std::size_t* dirty_bytes,
                           bool fresh) noexcept {
  const std::size_t bytes = pages << kPageShift;
  {
    Guard guard(lock_);
    if (!pages_.may_split()) return nullptr;
    if (Span* span = alignment <= kPageSize && !fresh ? from_kept(bytes, dirty_bytes) : nullptr) {
      if (void* block = enter(span)) return block;
      kept_.put(span);
    }
  }
  *dirty_bytes = 0;
  void* const memory = from_kernel(bytes, alignment);
  if (memory == nullptr) return nullptr;
  {
    Guard guard(lock_);
    if (Span* span = metadata_.new_span()) {
      span->start = reinterpret_cast<std::uintptr_t>(memory);
      span->units = pages * kUnitsAPage;
      if (void* block = enter(span)) {
        took(bytes);
        return block;
      }
      metadata_.delete_span(span);
    }
  }
  give_back(reinterpret_cast<std::uintptr_t>(memory), bytes);
  return nullptr;
}

// Gives pieces back that are in no table any more.
void MmapSource::unmap(Span* pieces) noexcept {
  for (Span* piece = pieces; piece != nullptr;) {
    Span* next = piece->above;
    const std::uintptr_t start = piece->start;
    const std::size_t bytes = piece->bytes();
    {
      Guard guard(lock_);
      metadata_.delete_span(piece);
      hysteresis_.gave_back(bytes, os::milliseconds());
      heap_hysteresis_.gave_back(bytes, os::milliseconds());
    }
    give_back(start, bytes);
    kernel_.leaving_bytes.fetch_sub(bytes, std::memory_order_relaxed);
    piece = next;
  }
}

// How many bytes the policy lets be kept. Caller holds the lock.
std::size_t MmapSource::allowance() noexcept {
  const Retained& retained = kernel_.retained;
  return hysteresis_.slack(pages_.live_bytes(), tunables_.keep_share(), os::milliseconds(),
                           retained.total() - retained.kept_bytes.load(std::memory_order_relaxed));
}

void MmapSource::shed(bool all) noexcept {
  Span* gone = nullptr;
  {
    Guard guard(lock_);
    const std::size_t most = allowance();
    gone = kept_.shed(all ? 0 : most);
  }
  unmap(gone);
}

// Forgotten first: once unmapped, another thread may be given the addresses.
void MmapSource::free(Span* span) noexcept {
  Span* gone = nullptr;
  {
    Guard guard(lock_);
    map_.set(span->start, PageEntry());
    bytes_.fetch_sub(span->bytes(), std::memory_order_relaxed);
    count_.fetch_sub(1, std::memory_order_relaxed);
    count_parts(span, -1);
    kept_.put(span);
    heap_hysteresis_.note_live(pages_.live_bytes());
    gone = kept_.shed(allowance());
  }
  unmap(gone);
}

bool MmapSource::shrink(Span* span, std::size_t units) noexcept {
  const std::uintptr_t end = span->start + (units << kUnitShift);
  const std::size_t gone = (span->units - units) << kUnitShift;
  if (!pages_.may_split() || !kernel_.unmap(end, gone)) return false;
  count_parts(span, -1);
  Span* last = span;
  while (last->above != nullptr && last->above->start < end) last = last->above;
  for (Span* part = last->above; part != nullptr;) {
    Span* next = part->above;
    metadata_.delete_span(part);
    part = next;
  }
  last->above = nullptr;
  if (last != span) last->units = (end - last->start) >> kUnitShift;
  span->units = units;
  count_parts(span, 1);
  bytes_.fetch_sub(gone, std::memory_order_relaxed);
  return true;
}

void* MmapSource::resize(Span* span, std::size_t pages) noexcept {
  Guard guard(lock_);
  const std::size_t units = pages * kUnitsAPage;
  if (units <= span->units) {
    const bool done = units == span->units || shrink(span, units);
    return done ? reinterpret_cast<void*>(span->start) : nullptr;
  }
  // What the tables may need in the new place is set aside first: a moved block cannot be refused any more.
  if (!metadata_.set_aside(PageMap::kMostForOnePage)) return nullptr;
  const std::uintptr_t old_start = span->start;
  const std::size_t old_bytes = span->bytes();
  std::size_t kept_units = 0;
  count_parts(span, -1);
  const bool done = kept_.lengthen(span, units, &kept_units) ||
                    (!kernel_.is_hopeless(pages << kPageShift) && pages_.release_everything() &&
                     kept_.lengthen(span, units, &kept_units));
  count_parts(span, 1);
  bytes_.fetch_add(span->bytes() - old_bytes, std::memory_order_relaxed);
  if (!done) return nullptr;
  took((units - kept_units) << kUnitShift);
  if (span->start != old_start) {
    map_.set(old_start, PageEntry());
    if (!map_.ensure(span->start, span->start + kPageSize, metadata_))
      return nullptr;  // cannot be: set aside above
    map_.set(span->start, PageEntry::of(span));
  }
  return reinterpret_cast<void*>(span->start);
}

}  // namespace brkmmap
