// See page_heap.h.
#include "allocators/brkmmap/page_heap.h"

#include <algorithm>

namespace brkmmap {

void PageHeap::put(Span* span, SpanState state) noexcept {
  span->state.store(state, std::memory_order_release);
  if (state == SpanState::kHole) return holes_.insert(span);
  span->sweep = sweeps_;
  span->idle.refused = false;
  free_.insert(span);
}

void PageHeap::remove(Span* span) noexcept {
  if (span->is(SpanState::kHole)) return holes_.erase(span);
  free_.erase(span);
}

// `upper` becomes part of `lower`; both in no tree.
void PageHeap::absorb(Span* lower, Span* upper) noexcept {
  if (upper->dirty_units != 0) lower->idle.dirty_to = lower->units + upper->idle.dirty_to;
  lower->units += upper->units;
  lower->dirty_units += upper->dirty_units;
  lower->above = upper->above;
  if (lower->above != nullptr) lower->above->below = lower;
  if (top_ == upper) top_ = lower;
  metadata_.delete_span(upper);
}

// Takes a span whose addresses are gone out of the row of neighbours.
void PageHeap::forget(Span* span) noexcept {
  if (span->below != nullptr) span->below->above = nullptr;
  if (span->above != nullptr) span->above->below = nullptr;
  if (top_ == span) top_ = span->below;
  metadata_.delete_span(span);
}

// The same outside of the brk heap, where the kernel may hand the addresses to anybody.
void PageHeap::forget_of_segment(Span* span) noexcept {
  const std::size_t pieces_more =
      std::size_t{span->below != nullptr} + std::size_t{span->above != nullptr} - 1;
  kernel_.pieces.fetch_add(pieces_more, std::memory_order_relaxed);
  forget(span);
}

// Joins the span with neighbours of the same state and puts the whole into its tree.
Span* PageHeap::insert(Span* span, SpanState state) noexcept {
  if (Span* below = span->below; below != nullptr && below->is(state)) {
    remove(below);
    absorb(below, span);
    span = below;
  }
  if (Span* above = span->above; above != nullptr && above->is(state)) {
    remove(above);
    absorb(span, above);
  }
  put(span, state);
  return span;
}

// Cuts a span that is in no tree; the tail is returned, in no tree either. Null: no metadata, nothing
// changed.
Span* PageHeap::split(Span* span, std::size_t units) noexcept {
  Span* rest = metadata_.new_span();
  if (rest == nullptr) return nullptr;
  rest->start = span->start + (units << kUnitShift);
  rest->units = span->units - units;
  rest->dirty_units = std::min(rest->units, span->dirty_units);
  rest->idle.dirty_to = span->idle.dirty_to - std::min(span->idle.dirty_to, units);
  if (rest->idle.dirty_to == 0) rest->dirty_units = 0;
  rest->state.store(span->state.load(std::memory_order_relaxed), std::memory_order_relaxed);
  rest->below = span;
  rest->above = span->above;
  if (rest->above != nullptr) rest->above->below = rest;
  if (top_ == span) top_ = rest;
  span->above = rest;
  span->units = units;
  span->dirty_units = std::min(units, span->dirty_units);
  span->idle.dirty_to = std::min(units, span->idle.dirty_to);
  return rest;
}

Span* PageHeap::take(Span* span, std::size_t units, std::size_t alignment,
                     std::size_t* dirty_bytes) noexcept {
  remove(span);
  // Which of its units were written is not known: as large a share of those taken as of all.
  if (hysteresis_.watching() && span->dirty_units < span->units)
    hysteresis_.took((units - units * span->dirty_units / span->units) << kUnitShift, os::milliseconds());
  const std::size_t before = (round_up(span->start, alignment) - span->start) >> kUnitShift;
  if (before != 0) {
    Span* aligned = split(span, before);
    put(span, SpanState::kFree);
    if (aligned == nullptr) return nullptr;
    span = aligned;
  }
  if (span->units > units) {
    Span* rest = split(span, units);
    if (rest == nullptr) {
      insert(span, SpanState::kFree);
      return nullptr;
    }
    put(rest, SpanState::kFree);
  }
  *dirty_bytes = span->dirty_units == 0 ? 0 : std::min(units, span->idle.dirty_to) << kUnitShift;
  span->state.store(SpanState::kBlock, std::memory_order_release);
  out_units_ += span->units;
  return span;
}

Span* PageHeap::from_hole(std::size_t units) noexcept {
  const std::size_t pages = pages_for(units << kUnitShift) * kUnitsAPage;
  Span* hole = holes_.best_fit(pages);
  if (hole == nullptr) return nullptr;
  holes_.erase(hole);
  const bool is_refill = refills();
  const std::size_t full_pad = pages_for(top_pad(live_bytes(), tunables_)) * kUnitsAPage;
  for (const std::size_t pad : {full_pad, std::size_t{0}}) {
    std::uintptr_t end = hole->start + ((pages + pad) << kUnitShift);
    if (is_refill && pad != 0) end = round_up(end, kHugePage);
    const std::size_t wanted = std::min(hole->units, (end - hole->start) >> kUnitShift);
    Span* rest = nullptr;
    if (wanted < hole->units && (rest = split(hole, wanted)) == nullptr) break;
    if (rest != nullptr) holes_.insert(rest);
    if (kernel_.map_at(hole->start, hole->bytes())) {
      hole->dirty_units = 0;
      if (is_refill) fault_in(hole);
      return insert(hole, SpanState::kFree);
    }
    if (rest == nullptr) break;
    holes_.erase(rest);  // whole again
    absorb(hole, rest);
  }
  holes_.insert(hole);
  return nullptr;
}

Span* PageHeap::from_brk(std::size_t units, std::size_t pad_bytes) noexcept {
  const std::uintptr_t start = brk_.next_start();
  if (start == 0) return nullptr;
  const Span* top = start == brk_.end() ? free_top() : nullptr;
  const std::size_t missing = (units - std::min(units, top != nullptr ? top->units : 0)) << kUnitShift;
  std::uintptr_t end = start + ((pages_for(missing) + pages_for(pad_bytes)) << kPageShift);
  const bool is_refill = refills();
  if (is_refill && pad_bytes != 0) end = round_up(end, kHugePage);
  const std::size_t bytes = end - start;
  if (end <= start) return nullptr;
  Span* span = metadata_.new_span();
  if (span == nullptr) return nullptr;
  // The page map comes last: a range that the kernel refuses must not cost a table of its size.
  const bool is_grown = brk_.grow(start, end);
  if (!is_grown || !map_.ensure(start, end, metadata_)) {
    if (is_grown && !brk_.trim(start, bytes)) metadata_.lose(bytes);
    metadata_.delete_span(span);
    return nullptr;
  }
  span->start = start;
  span->units = bytes >> kUnitShift;
  if (is_refill) fault_in(span);
  if (top_ != nullptr && top_->end() == start) {
    span->below = top_;
    top_->above = span;
  }
  top_ = span;
  return insert(span, SpanState::kFree);
}

Span* PageHeap::from_segment(std::size_t units) noexcept {
  constexpr std::size_t kLeast = std::size_t{1} << 20;
  const std::size_t bytes = round_up(units << kUnitShift, kPageSize);
  for (const std::size_t size : {std::max(bytes, kLeast), bytes}) {
    Span* span = metadata_.new_span();
    if (span == nullptr) return nullptr;
    if (void* memory = kernel_.map(size)) {
      span->start = reinterpret_cast<std::uintptr_t>(memory);
      span->units = size >> kUnitShift;
      if (map_.ensure(span->start, span->end(), metadata_)) {
        kernel_.pieces.fetch_add(1, std::memory_order_relaxed);
        return insert(span, SpanState::kFree);
      }
      if (!kernel_.unmap(span->start, span->bytes())) metadata_.lose(span->bytes());
    }
    metadata_.delete_span(span);
  }
  return nullptr;
}

// A free span in which so many units fit at a multiple of `alignment`.
Span* PageHeap::fit(std::size_t units, std::size_t alignment) noexcept {
  Span* span = free_.best_fit(units);
  if (alignment == kUnit) return span;
  constexpr int kTries = 6;  // beyond the smallest ones: any span that fits wherever the alignment falls
  for (int tried = 0; span != nullptr && tried < kTries; ++tried, span = free_.upward(span))
    if (round_up(span->start, alignment) + (units << kUnitShift) <= span->end()) return span;
  return free_.best_fit(units + (alignment >> kUnitShift) - 1);
}

Span* PageHeap::find(std::size_t units) noexcept {
  if (Span* span = from_hole(units)) return span;
  if (Span* span = from_brk(units, top_pad(live_bytes(), tunables_))) return span;
  if (Span* span = from_brk(units, 0)) return span;
  return from_segment(units);
}

Span* PageHeap::allocate(std::size_t units, std::size_t* dirty_bytes, std::size_t alignment) noexcept {
  const std::size_t most = units + (alignment >> kUnitShift) - 1;
  Span* found = fit(units, alignment);
  if (found == nullptr) found = find(most);
  if (found == nullptr && !kernel_.is_hopeless(most << kUnitShift) && release_everything())
    found = find(most);
  if (found == nullptr) return nullptr;
  Span* span = take(found, units, alignment, dirty_bytes);
  note_dirty();
  hysteresis_.note_live(live_bytes());
  return span;
}

void PageHeap::free(Span* span) noexcept {
  prefetch(span->below);
  prefetch(span->above);
  if (span->is(SpanState::kBlock) || span->is(SpanState::kSlab)) out_units_ -= span->units;
  span->set_written();
  settle(insert(span, SpanState::kFree));
}

bool PageHeap::resize(Span* span, std::size_t units) noexcept {
  if (units < span->units) {
    Span* rest = split(span, units);
    if (rest == nullptr) return false;
    free(rest);
    return true;
  }
  const std::size_t missing = units - span->units;
  if (missing == 0) return true;
  Span* next = span->above;
  const bool next_free = next != nullptr && next->is(SpanState::kFree);
  if (next_free ? at_top(next) && next->units < missing : at_top(span)) {
    if (from_brk(missing, top_pad(live_bytes(), tunables_)) == nullptr) return false;
    next = span->above;
  }
  if (next == nullptr || !next->is(SpanState::kFree) || next->units < missing) return false;
  std::size_t dirty_bytes = 0;
  if ((next = take(next, missing, kUnit, &dirty_bytes)) == nullptr) return false;
  absorb(span, next);
  return true;
}

// Then its addresses can go without one more mapping being split off.
bool PageHeap::is_beside_hole(const Span* span) noexcept {
  return (span->below != nullptr && span->below->is(SpanState::kHole)) ||
         (span->above != nullptr && span->above->is(SpanState::kHole));
}

void PageHeap::settle(Span* span) noexcept {
  const bool beside = is_beside_hole(span);
  FreeRange range{span->bytes(), span->dirty_units << kUnitShift, at_top(span), beside};
  const std::size_t live = live_bytes();
  std::size_t slack = hysteresis_.slack(live, tunables_.slack_share(), os::milliseconds(), elsewhere_bytes());
  const bool in_rounds = is_in_rounds();
  // Of the top only what is written is kept: the rest is to come back in huge pages.
  if (in_rounds && range.at_top) slack = std::min(slack, range.dirty_bytes);
  Action action = decide(range, live, tunables_, slack);
  if (action == Action::kTrim) {
    if (lower(span, top_pad(live, tunables_) + slack)) return note_dirty();
    range.at_top = false;  // somebody else's memory lies above: treat it as any other range
    action = decide(range, live, tunables_, slack);
  }
  if (in_rounds && !range.at_top && release_huge(span, action == Action::kKeep)) return note_dirty();
  if (action == Action::kRelease && (beside || may_split()) && release(span, beside ? 0 : slack))
    return note_dirty();  // what stays beside a hole would be a mapping of its own
  if (action != Action::kKeep && span->dirty_units != 0) purge(span, slack);
  const std::size_t enough = most_dirty();
  const std::size_t due = live < dirty_bytes() ? enough : std::min(enough * 2, swept_to_ + enough / 4);
  if (dirty_bytes() > enough && dirty_bytes() > due) sweep();
  note_dirty();
}

bool PageHeap::may_split() noexcept {
  constexpr std::size_t kFew = 1024;
  const std::size_t pieces = holes_.count() + kernel_.pieces.load(std::memory_order_relaxed);
  if (pieces < kFew) return true;
  if (most_pieces_ == 0) most_pieces_ = os::most_mappings() / 2;
  return pieces < most_pieces_;
}

// Lowers the break so that about `pad` bytes of the top stay; a hole right under the top goes with it, and
// nothing stays.
bool PageHeap::lower(Span* top, std::size_t pad) noexcept {
  Span* hole = top->below != nullptr && top->below->is(SpanState::kHole) ? top->below : nullptr;
  const std::uintptr_t to = hole != nullptr ? hole->start : round_up(top->start + pad, kPageSize);
  if (to >= top->end()) return false;
  const std::size_t gone = hole != nullptr ? top->bytes() : top->end() - to;
  if (!brk_.trim(to, gone)) return false;
  hysteresis_.gave_back(gone, os::milliseconds());
  remove(top);
  if (hole != nullptr) {
    holes_.erase(hole);
    Span* next = hole->below;
    forget(top);
    forget(hole);
    if (next != nullptr && next->is(SpanState::kFree)) settle(next);
    return true;
  }
  top->units = (to - top->start) >> kUnitShift;
  if (top->units == 0) {
    forget(top);
    return true;
  }
  top->dirty_units = std::min(top->units, top->dirty_units);
  top->idle.dirty_to = std::min(top->units, top->idle.dirty_to);
  put(top, SpanState::kFree);
  return true;
}

// Gives the addresses of the whole pages inside back, but for the first `keep` bytes, or those of a range of
// it, of which so many bytes had pages; what is left of it on both sides stays free.
bool PageHeap::release(Span* span, std::size_t keep) noexcept {
  const InnerPages inner(*span, keep);
  return inner.bytes() != 0 && release(span, inner.start, inner.end, inner.bytes());
}

bool PageHeap::release(Span* span, std::uintptr_t start, std::uintptr_t end,
                       std::size_t pages_bytes) noexcept {
  remove(span);
  const std::size_t before = (start - span->start) >> kUnitShift;
  const std::size_t after = (span->end() - end) >> kUnitShift;
  Span* middle = before != 0 ? split(span, before) : span;
  Span* tail = middle != nullptr && after != 0 ? split(middle, (end - start) >> kUnitShift) : nullptr;
  const bool cut = middle != nullptr && (after == 0 || tail != nullptr);
  const bool gone = cut && kernel_.unmap(start, end - start);
  if (middle != nullptr && middle != span) put(span, SpanState::kFree);
  if (tail != nullptr) put(tail, SpanState::kFree);
  if (!gone) {
    insert(middle != nullptr ? middle : span, SpanState::kFree);
    return false;
  }
  hysteresis_.gave_back(pages_bytes, os::milliseconds());
  middle->dirty_units = 0;
  if (in_brk(middle)) {
    insert(middle, SpanState::kHole);
  } else {
    forget_of_segment(middle);
  }
  return true;
}

bool PageHeap::release_everything() noexcept {
  bool any = false;
  while (Span* top = free_top()) {
    if (!lower(top, 0)) break;
    any = true;
  }
  for (Span* span = free_.best_fit(kUnitsAPage); span != nullptr;) {
    Span* next =
        free_.upward(span);  // what a release leaves at the sides is less than a page and comes before it
    any |= (is_beside_hole(span) || may_split()) && release(span, 0);
    span = next;
  }
  note_dirty();
  return any;
}

Span* PageHeap::free_top() const noexcept {
  return top_ != nullptr && top_->is(SpanState::kFree) && at_top(top_) ? top_ : nullptr;
}

std::size_t PageHeap::top_bytes() const noexcept {
  const Span* top = free_top();
  return top == nullptr ? 0 : top->bytes();
}

}  // namespace brkmmap
