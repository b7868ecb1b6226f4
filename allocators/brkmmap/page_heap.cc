// See page_heap.h.
#include "allocators/brkmmap/page_heap.h"

#include <algorithm>

#include "allocators/brkmmap/policy.h"

namespace brkmmap {

Span* PageHeap::neighbour(std::uintptr_t address, SpanState state) const noexcept {
  Span* span = map_.get(address);
  return span != nullptr && span->state.load(std::memory_order_relaxed) == state ? span : nullptr;
}

void PageHeap::remove(Span* span) noexcept {
  (span->state.load(std::memory_order_relaxed) == SpanState::kHole ? holes_ : free_).erase(span);
}

// Joins the span with neighbours of the same state and puts the whole into its tree.
Span* PageHeap::insert(Span* span, SpanState state) noexcept {
  map_.set_ends(*span, nullptr);
  if (Span* below = neighbour(span->start - kPageSize, state)) {
    remove(below);
    map_.set_ends(*below, nullptr);
    span->start = below->start;
    span->pages += below->pages;
    span->dirty_pages += below->dirty_pages;
    metadata_.delete_span(below);
  }
  if (Span* above = neighbour(span->end(), state)) {
    remove(above);
    map_.set_ends(*above, nullptr);
    span->pages += above->pages;
    span->dirty_pages += above->dirty_pages;
    metadata_.delete_span(above);
  }
  span->state.store(state, std::memory_order_release);
  map_.set_ends(*span, span);
  (state == SpanState::kHole ? holes_ : free_).insert(span);
  return span;
}

// Cuts a span that is in no tree; the tail is returned, in no tree either. Null: no metadata, nothing
// changed.
Span* PageHeap::split(Span* span, std::size_t pages) noexcept {
  Span* rest = metadata_.new_span();
  if (rest == nullptr) return nullptr;
  map_.set_ends(*span, nullptr);
  rest->start = span->start + (pages << kPageShift);
  rest->pages = span->pages - pages;
  rest->dirty_pages = std::min(rest->pages, span->dirty_pages);
  rest->state.store(span->state.load(std::memory_order_relaxed), std::memory_order_relaxed);
  span->pages = pages;
  span->dirty_pages = std::min(pages, span->dirty_pages);
  map_.set_ends(*span, span);
  map_.set_ends(*rest, rest);
  return rest;
}

Span* PageHeap::take(Span* span, std::size_t pages, bool* zeroed) noexcept {
  free_.erase(span);
  *zeroed = span->dirty_pages == 0;
  if (span->pages > pages) {
    Span* rest = split(span, pages);
    if (rest == nullptr) {
      free_.insert(span);
      return nullptr;
    }
    free_.insert(rest);
  }
  span->state.store(SpanState::kBlock, std::memory_order_release);
  return span;
}

Span* PageHeap::from_hole(std::size_t pages) noexcept {
  Span* hole = holes_.best_fit(pages);
  if (hole == nullptr) return nullptr;
  holes_.erase(hole);
  for (const std::size_t pad : {pages_for(tunables_.top_pad), std::size_t{0}}) {
    const std::size_t wanted = std::min(hole->pages, pages + pad);
    Span* rest = nullptr;
    if (wanted < hole->pages && (rest = split(hole, wanted)) == nullptr) break;
    if (rest != nullptr) holes_.insert(rest);
    if (kernel_.map_at(hole->start, hole->bytes())) {
      hole->dirty_pages = 0;
      return insert(hole, SpanState::kFree);
    }
    if (rest == nullptr) break;
    holes_.erase(rest);  // whole again
    map_.set_ends(*rest, nullptr);
    map_.set_ends(*hole, nullptr);
    hole->pages += rest->pages;
    metadata_.delete_span(rest);
    map_.set_ends(*hole, hole);
  }
  holes_.insert(hole);
  return nullptr;
}

Span* PageHeap::from_brk(std::size_t pages, std::size_t pad_bytes) noexcept {
  const std::uintptr_t start = brk_.next_start();
  if (start == 0) return nullptr;
  Span* top = start == brk_.end() ? neighbour(start - kPageSize, SpanState::kFree) : nullptr;
  const std::size_t missing = pages - (top != nullptr ? top->pages : 0) + pages_for(pad_bytes);
  const std::uintptr_t end = start + (missing << kPageShift);
  if (end <= start || !map_.ensure(start, end)) return nullptr;
  Span* span = metadata_.new_span();
  if (span == nullptr) return nullptr;
  if (!brk_.grow(start, end)) {
    metadata_.delete_span(span);
    return nullptr;
  }
  span->start = start;
  span->pages = missing;
  return insert(span, SpanState::kFree);
}

Span* PageHeap::from_segment(std::size_t pages) noexcept {
  constexpr std::size_t kLeast = 256;  // 1 MiB
  for (const std::size_t size : {std::max(pages, kLeast), pages}) {
    Span* span = metadata_.new_span();
    if (span == nullptr) return nullptr;
    if (void* memory = kernel_.map(size << kPageShift)) {
      span->start = reinterpret_cast<std::uintptr_t>(memory);
      span->pages = size;
      if (map_.ensure(span->start, span->end())) return insert(span, SpanState::kFree);
      if (!kernel_.unmap(span->start, span->bytes())) return nullptr;
    }
    metadata_.delete_span(span);
  }
  return nullptr;
}

Span* PageHeap::find(std::size_t pages) noexcept {
  if (Span* span = free_.best_fit(pages)) return span;
  if (Span* span = from_hole(pages)) return span;
  if (Span* span = from_brk(pages, tunables_.top_pad)) return span;
  if (Span* span = from_brk(pages, 0)) return span;
  return from_segment(pages);
}

Span* PageHeap::allocate(std::size_t pages, bool* zeroed, std::size_t alignment) noexcept {
  const std::size_t slack = alignment / kPageSize - 1;
  Span* found = find(pages + slack);
  if (found == nullptr && release_everything()) found = find(pages + slack);
  if (found == nullptr) return nullptr;
  Span* span = take(found, pages + slack, zeroed);
  if (span == nullptr || slack == 0) return span;
  const std::size_t before = (round_up(span->start, alignment) - span->start) >> kPageShift;
  const std::size_t dirty = *zeroed ? 0 : span->pages;
  if (before != 0) {
    Span* aligned = split(span, before);
    if (aligned == nullptr) {
      free(span);
      return nullptr;
    }
    span->dirty_pages = std::min(dirty, span->pages);
    insert(span, SpanState::kFree);
    span = aligned;
  }
  if (span->pages > pages) {
    Span* rest = split(span, pages);
    if (rest == nullptr) return span;  // a little larger than asked for
    rest->dirty_pages = std::min(dirty, rest->pages);
    insert(rest, SpanState::kFree);
  }
  return span;
}

void PageHeap::free(Span* span) noexcept {
  span->dirty_pages = span->pages;
  settle(insert(span, SpanState::kFree));
}

bool PageHeap::resize(Span* span, std::size_t pages) noexcept {
  if (pages < span->pages) {
    Span* rest = split(span, pages);
    if (rest == nullptr) return false;
    free(rest);
    return true;
  }
  const std::size_t missing = pages - span->pages;
  if (missing == 0) return true;
  Span* next = neighbour(span->end(), SpanState::kFree);
  if (brk_.end() != 0 && (next != nullptr ? at_top(next) && next->pages < missing : at_top(span))) {
    if (from_brk(missing, tunables_.top_pad) == nullptr) return false;
    next = neighbour(span->end(), SpanState::kFree);
  }
  if (next == nullptr || next->pages < missing) return false;
  bool zeroed = false;
  if ((next = take(next, missing, &zeroed)) == nullptr) return false;
  map_.set_ends(*next, nullptr);
  map_.set_ends(*span, nullptr);
  span->pages = pages;
  map_.set_ends(*span, span);
  metadata_.delete_span(next);
  return true;
}

void PageHeap::settle(Span* span) noexcept {
  const bool beside = neighbour(span->start - kPageSize, SpanState::kHole) != nullptr ||
                      neighbour(span->end(), SpanState::kHole) != nullptr;
  FreeRange range{span->bytes(), span->dirty_pages << kPageShift, at_top(span), beside};
  Action action = decide(range, tunables_);
  if (action == Action::kTrim) {
    if (lower(span, tunables_.top_pad)) return;
    range.at_top = false;  // somebody else's memory lies above: treat it as any other range
    action = decide(range, tunables_);
  }
  if (action == Action::kRelease && release(span)) return;
  if (action != Action::kKeep && span->dirty_pages != 0) purge(span);
}

// Lowers the break so that `pad` bytes of the top stay; a hole right under the top goes with it, and nothing
// stays.
bool PageHeap::lower(Span* top, std::size_t pad) noexcept {
  Span* hole = neighbour(top->start - kPageSize, SpanState::kHole);
  const std::size_t keep = hole != nullptr ? 0 : pages_for(pad);
  if (keep >= top->pages) return false;
  const std::uintptr_t to = hole != nullptr ? hole->start : top->start + (keep << kPageShift);
  const std::size_t gone = top->pages - keep;
  if (!brk_.trim(to, gone << kPageShift)) return false;
  free_.erase(top);
  map_.set_ends(*top, nullptr);
  if (hole != nullptr) {
    holes_.erase(hole);
    map_.set_ends(*hole, nullptr);
    metadata_.delete_span(hole);
  }
  if (keep == 0) {
    metadata_.delete_span(top);
    if (Span* next = neighbour(to - kPageSize, SpanState::kFree)) settle(next);
    return true;
  }
  top->pages = keep;
  top->dirty_pages = std::min(keep, top->dirty_pages);
  map_.set_ends(*top, top);
  free_.insert(top);
  return true;
}

bool PageHeap::release(Span* span) noexcept {
  if (!kernel_.unmap(span->start, span->bytes())) return false;
  free_.erase(span);
  span->dirty_pages = 0;
  if (span->start >= brk_.first() && span->end() <= brk_.end()) {
    insert(span, SpanState::kHole);
    return true;
  }
  // Of a segment: the kernel may hand the addresses to anybody, so they are forgotten.
  map_.set_ends(*span, nullptr);
  metadata_.delete_span(span);
  return true;
}

bool PageHeap::purge(Span* span) noexcept {
  if (!kernel_.purge(span->start, span->bytes())) return false;
  span->dirty_pages = 0;
  return true;
}

bool PageHeap::release_everything() noexcept {
  bool any = false;
  while (Span* span = free_.largest()) {
    if (at_top(span) ? lower(span, 0) || release(span) : release(span)) {
      any = true;
    } else {
      break;
    }
  }
  return any;
}

bool PageHeap::trim(std::size_t pad) noexcept {
  bool any = false;
  if (Span* top = brk_.end() == 0 ? nullptr : neighbour(brk_.end() - kPageSize, SpanState::kFree)) {
    any = lower(top, pad);
  }
  for (Span* span = free_.best_fit(1); span != nullptr; span = free_.after(span)) {
    if (span->dirty_pages != 0) any |= purge(span);
  }
  return any;
}

std::size_t PageHeap::top_bytes() const noexcept {
  const Span* top = brk_.end() == 0 ? nullptr : neighbour(brk_.end() - kPageSize, SpanState::kFree);
  return top == nullptr ? 0 : top->bytes();
}

}  // namespace brkmmap
