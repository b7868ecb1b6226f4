// The page heap's part for programs that empty their heap and fill it again, in rounds (policy.h). What they
// have freed must go back each time, and to fault it in again by small pages costs about six times what it
// costs by huge ones. So whole huge pages go back with their addresses (munmap), since a page table that
// stays would keep the kernel from using a huge page there; and the same places are mapped again whole, and
// get their page at once. Elsewhere nothing asks for huge pages: parts of them could not go back. See
// page_heap.h.
#include <algorithm>

#include "allocators/brkmmap/page_heap.h"

namespace brkmmap {
namespace {

// The whole places of huge pages inside a span.
struct InnerHugePages {
  std::uintptr_t start, end;
  explicit InnerHugePages(const Span& span) noexcept
      : start(round_up(span.start, kHugePage)), end(round_down(span.end(), kHugePage)) {
    if (end < start) end = start;
  }
  std::size_t bytes() const noexcept { return end - start; }
};

}  // namespace

// Whether what is said above is to be done. Where the machine or the user has no huge pages, never.
bool PageHeap::is_in_rounds() noexcept {
  if (!hysteresis_.in_rounds()) return false;
  if (!has_huge_pages_) {
    has_huge_pages_ = tunables_.huge_pages != 0 && os::has_huge_pages();
    if (!has_huge_pages_) hysteresis_.ignore_rounds(true);
  }
  return has_huge_pages_;
}

// With `only_clean`, only where most of the span has no pages, so that nothing worth keeping goes.
bool PageHeap::release_huge(Span* span, bool only_clean) noexcept {
  const InnerHugePages inner(*span);
  if (inner.bytes() == 0 || !in_brk(span) || (only_clean && span->dirty_units > span->units / 2))
    return false;
  if (!is_beside_hole(span) && !may_split()) return false;
  return release(span, inner.start, inner.end,
                 std::min<std::size_t>(inner.bytes(), span->dirty_units << kUnitShift));
}

// Pages for a span that was mapped just now and is in no tree. They count as written, so that what is not
// used of them goes back with the rest. Where the kernel has no huge page to give, this round goes on with
// small ones.
void PageHeap::fault_in(Span* span) noexcept {
  const InnerHugePages inner(*span);
  if (inner.bytes() == 0 || !may_split()) return;
  if (!os::fault_in_huge_pages(inner.start, inner.bytes())) return hysteresis_.ignore_rounds(false);
  hysteresis_.took(inner.bytes(), os::milliseconds());
  span->dirty_units = inner.bytes() >> kUnitShift;
  span->idle.dirty_to = (inner.end - span->start) >> kUnitShift;
}

}  // namespace brkmmap
