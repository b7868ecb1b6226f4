// See kept_mappings.h.
#include "allocators/brkmmap/kept_mappings.h"

#include <algorithm>

namespace brkmmap {

void KeptMappings::insert(Span* piece) noexcept {
  piece->state.store(SpanState::kKept, std::memory_order_relaxed);
  pieces_.insert(piece);
  kernel_.kept_bytes.store(bytes(), std::memory_order_relaxed);
}

void KeptMappings::erase(Span* piece) noexcept {
  pieces_.erase(piece);
  kernel_.kept_bytes.store(bytes(), std::memory_order_relaxed);
}

// The first units of a piece that is not kept any more; the rest is kept. The whole piece, longer than asked
// for, where there is no memory for a description.
Span* KeptMappings::cut(Span* piece, std::size_t units) noexcept {
  if (piece->units == units) return piece;
  Span* rest = metadata_.new_span();
  if (rest == nullptr) return piece;
  rest->start = piece->start + (units << kUnitShift);
  rest->units = piece->units - units;
  insert(rest);
  piece->units = units;
  return piece;
}

Span* KeptMappings::take(std::size_t units, std::size_t* kept_units) noexcept {
  Span* piece = pieces_.best_fit(units);
  if (piece == nullptr) return put_together(units, kept_units);
  erase(piece);
  *kept_units = units;
  if (cut(piece, units)->units == units) return piece;
  insert(piece);
  return nullptr;
}

// Makes a piece that is not kept any more as large as asked for, where need be in another place: one that is
// congruent to the old one, so that the kernel moves tables of pages instead of pages, and ten times as fast.
bool KeptMappings::grow(Span* piece, std::size_t units) noexcept {
  constexpr std::size_t kTable = std::size_t{2} << 20;  // the addresses that one table maps
  const std::size_t bytes = units << kUnitShift;
  if (kernel_.extend(piece->start, piece->bytes(), bytes)) {
    piece->units = units;
    return true;
  }
  void* const memory = kernel_.map(bytes + kTable);
  if (memory == nullptr) return false;
  const auto room = reinterpret_cast<std::uintptr_t>(memory);
  const std::size_t before = (piece->start - room) % kTable;
  const std::uintptr_t to = room + before, end = to + bytes;
  const bool moved = kernel_.move(piece->start, piece->bytes(), to);
  // What is not given back here, because the kernel holds too many mappings, is lost.
  if (before != 0) (void)kernel_.unmap(room, before);
  if (before != kTable) (void)kernel_.unmap(end, kTable - before);
  if (!moved) {
    (void)kernel_.unmap(to, bytes);
    return false;
  }
  piece->start = to;
  piece->units = units;
  return true;
}

// The largest piece grows to the size of the whole; others move over what it grew by, as many as are needed.
Span* KeptMappings::put_together(std::size_t units, std::size_t* kept_units) noexcept {
  Span* range = pieces_.largest();
  if (range == nullptr) return nullptr;
  Span* fresh = metadata_.new_span();  // what no piece fills
  if (fresh == nullptr) return nullptr;
  erase(range);
  std::size_t filled = range->units;
  if (!grow(range, units)) {
    insert(range);
    metadata_.delete_span(fresh);
    return nullptr;
  }
  Span* last = range;
  for (std::size_t parts = 2; parts < kMostParts && filled < units; ++parts) {
    if (!move_next(range, last, &filled)) break;
    last = last->above;
  }
  *kept_units = filled;
  if (last == range ||
      filled == units) {  // no other mapping begins where the fresh part does, or there is none
    metadata_.delete_span(fresh);
    return range;
  }
  fresh->start = range->start + (filled << kUnitShift);
  fresh->units = units - filled;
  last->above = fresh;
  return range;
}

// Moves the largest piece, or as much of it as is missing, to the end of what is filled.
bool KeptMappings::move_next(Span* range, Span* last, std::size_t* filled) noexcept {
  Span* piece = pieces_.largest();
  if (piece == nullptr) return false;
  erase(piece);
  const std::size_t missing = range->units - *filled;
  if (piece->units > missing && cut(piece, missing)->units != missing) {
    insert(piece);
    return false;
  }
  const std::uintptr_t to = range->start + (*filled << kUnitShift);
  if (!kernel_.move(piece->start, piece->bytes(), to)) {
    insert(piece);
    return false;
  }
  piece->start = to;
  *filled += piece->units;
  last->above = piece;
  return true;
}

void KeptMappings::put(Span* range) noexcept {
  std::size_t further = 0;
  for (const Span* part = range->above; part != nullptr; part = part->above) further += part->units;
  range->units -= further;
  for (Span* part = range; part != nullptr;) {
    Span* next = part->above;
    part->above = nullptr;
    insert(part);
    part = next;
  }
}

Span* KeptMappings::shed(std::size_t bytes) noexcept {
  Span* gone = nullptr;
  const std::size_t most = bytes >> kUnitShift;
  for (;;) {
    Span* piece = pieces_.smallest();
    if (piece == nullptr) return gone;
    const std::size_t over = pieces_.units() - std::min(pieces_.units(), most);
    if (over == 0 && piece->units >= kLeastUnits && pieces_.count() <= kMostPieces) return gone;
    erase(piece);
    // Of a piece that may stay in part, so much stays.
    const std::size_t excess = std::max(round_up(over, kUnitsAPage), kLeastUnits);
    if (over != 0 && piece->units >= excess + kLeastUnits) (void)cut(piece, excess);
    piece->above = gone;
    gone = piece;
  }
}

}  // namespace brkmmap
