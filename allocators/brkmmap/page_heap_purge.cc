// The page heap's part that gives pages back and keeps their addresses: what is worth a call, sweeps over
// many small ranges, and what happens where the kernel refuses. See page_heap.h.
#include <algorithm>

#include "allocators/brkmmap/page_heap.h"

namespace brkmmap {

std::size_t PageHeap::most_dirty() noexcept {
  return dirty_limit(hysteresis_.last_live_bytes(), hysteresis_.last(), tunables_);
}

void PageHeap::rest() noexcept {
  hysteresis_.rest();
  refusals_ = occasions_left_ = 0;
  if (Span* top = free_top()) lower(top, tunables_.top_pad);
  for (Span* span = free_.best_fit(kUnitsAPage); span != nullptr && refusals_ < kMostRefusals;
       span = free_.upward(span)) {
    occasions_left_ = 0;
    if (span->dirty_units != 0) purge(span, 0);
  }
  note_dirty();
}

// Purges small ranges, each below the thresholds, when together they exceed the limit: the largest first.
// Below twice the limit it spares ranges that became free since the last sweep, which are likely to be used
// again soon. The kernel is called without the lock, for some ranges at a time that cannot be allocated
// meanwhile: a call costs microseconds, and with threads on other processors an interrupt on each.
void PageHeap::sweep() noexcept {
  if (sweeping_ != 0 || !may_purge()) return;
  do {
    // Anew each time: other threads free meanwhile, and leave it to this sweep.
    const std::size_t enough = most_dirty();
    const bool spare = dirty_bytes() <= std::min(enough * 2, hysteresis_.last_live_bytes());
    sweeping_ = 0;
    for (std::size_t at = DirtySpans::kQueues; at-- > 0 && sweeping_ != kAtOnce;) {
      for (Span* span = free_.dirty().longest_idle(at); span != nullptr && sweeping_ != kAtOnce;) {
        if (dirty_bytes() <= enough / 2 || (spare && span->sweep == sweeps_)) break;
        Span* next = DirtySpans::next(span);
        if (is_worth_purging(span)) {
          remove(span);
          span->state.store(SpanState::kPurging, std::memory_order_release);
          purging_units_ += span->units;
          swept_[sweeping_++] = span;
        }
        span = next;
      }
    }
    if (sweeping_ == 0) break;
    lock_.unlock();
    std::uint32_t gone = 0;
    for (std::size_t at = 0; at < sweeping_; ++at) {
      const InnerPages inner(*swept_[at], 0);
      if (kernel_.purge(inner.start, inner.bytes())) gone |= 1u << at;
    }
    lock_.lock();
    put_back(gone);
    note_answer(gone != 0);
  } while (refusals_ < kMostRefusals && dirty_bytes() > most_dirty());
  sweeping_ = 0;
  ++sweeps_;
  swept_to_ = dirty_bytes();
}

// Whether to ask the kernel to purge now.
bool PageHeap::may_purge() noexcept {
  if (occasions_left_ == 0) return true;
  --occasions_left_;
  return false;
}

void PageHeap::note_answer(bool purged) noexcept {
  if (purged) {
    refusals_ = 0;
    return;
  }
  refusals_ = std::min(refusals_ + 1, kMostRefusals);
  occasions_left_ = std::uint32_t{1} << refusals_;
}

// The ranges of a sweep are free again; those in `gone` were purged. One that was refused is not tried again
// before it has changed.
void PageHeap::put_back(std::uint32_t gone) noexcept {
  for (std::size_t at = 0; at < sweeping_; ++at) {
    Span* span = swept_[at];
    const std::size_t before = span->dirty_units;
    const bool purged = gone >> at & 1;
    if (purged) set_purged(span, 0);
    note_purged(span, before - span->dirty_units);
    purging_units_ -= span->units;
    const std::size_t units = span->units;
    span = insert(span, SpanState::kFree);
    if (!purged && span->units == units) free_.update_dirty(span, [&] { span->idle.refused = true; });
    if (purged && is_in_rounds() && !at_top(span)) release_huge(span, true);
  }
}

void PageHeap::forget_sweep() noexcept {
  put_back(0);
  sweeping_ = 0;
}

// Purges of small ranges do not raise the slack when their pages are soon needed again: there are always some
// such ranges, and keeping them all would waste memory. Where the program frees most of what it has they do,
// so that a program which does this repeatedly need not fault in everything each time.
void PageHeap::note_purged(const Span* span, std::size_t units) noexcept {
  if (span->bytes() >= tunables_.purge_threshold || hysteresis_.has_shrunk(live_bytes()))
    hysteresis_.gave_back(units << kUnitShift, os::milliseconds());
}

// Units that are not part of a whole page, or are among the first `keep` bytes.
std::size_t PageHeap::edge_units(const Span* span, std::size_t keep) noexcept {
  return span->units - (InnerPages(*span, keep).bytes() >> kUnitShift);
}

// The inner pages of a span that is in no queue read as zero now.
void PageHeap::set_purged(Span* span, std::size_t keep) noexcept {
  const InnerPages inner(*span, keep);
  span->dirty_units = std::min(span->dirty_units, edge_units(span, keep));
  if (span->end() == inner.end)
    span->idle.dirty_to = std::min(span->idle.dirty_to, (inner.start - span->start) >> kUnitShift);
}

bool PageHeap::is_worth_purging(const Span* span, std::size_t keep) noexcept {
  return span->dirty_units >= edge_units(span, keep) + kUnitsAPage;
}

// Gives the whole pages back, but for the first `keep` bytes.
bool PageHeap::purge(Span* span, std::size_t keep) noexcept {
  const InnerPages inner(*span, keep);
  if (!is_worth_purging(span, keep) || !may_purge()) return false;
  const bool purged = kernel_.purge(inner.start, inner.bytes());
  note_answer(purged);
  const std::size_t before = span->dirty_units;
  free_.update_dirty(span, [&] {
    span->idle.refused = !purged;
    if (purged) set_purged(span, keep);
  });
  if (purged) note_purged(span, before - span->dirty_units);
  return purged;
}

bool PageHeap::trim(std::size_t pad) noexcept {
  bool any = false;
  if (Span* top = free_top()) any = lower(top, pad);
  for (Span* span = free_.best_fit(kUnitsAPage); span != nullptr; span = free_.upward(span)) {
    occasions_left_ = 0;  // the program asks for it
    if (span->dirty_units != 0) any |= purge(span, 0);
  }
  note_dirty();
  return any;
}

}  // namespace brkmmap
