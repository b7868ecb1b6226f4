// See kept_mappings.h.
#include "allocators/brkmmap/kept_mappings.h"

#include <algorithm>
#include <cstring>

namespace brkmmap {

void KeptMappings::insert(Span* piece) noexcept {
  piece->state.store(SpanState::kKept, std::memory_order_relaxed);
  pieces_.insert(piece);
  kernel_.pieces.fetch_add(1, std::memory_order_relaxed);
  kernel_.retained.kept_bytes.store(bytes(), std::memory_order_relaxed);
}

void KeptMappings::erase(Span* piece) noexcept {
  pieces_.erase(piece);
  kernel_.pieces.fetch_sub(1, std::memory_order_relaxed);
  kernel_.retained.kept_bytes.store(bytes(), std::memory_order_relaxed);
}

// Unmaps; what the kernel does not take, in the middle of a mapping where there are too many, is kept.
void KeptMappings::give_back(std::uintptr_t start, std::size_t bytes) noexcept {
  if (bytes == 0 || kernel_.unmap(start, bytes)) return;
  Span* piece = metadata_.new_span();
  if (piece == nullptr) return metadata_.lose(bytes);
  piece->start = start;
  piece->units = bytes >> kUnitShift;
  insert(piece);
}

// Shortens a piece that is not kept any more to at most so many units; the rest is kept. False, and nothing
// changed, where there is no memory for a description.
bool KeptMappings::cut(Span* piece, std::size_t units) noexcept {
  if (piece->units <= units) return true;
  Span* rest = metadata_.new_span();
  if (rest == nullptr) return false;
  rest->start = piece->start + (units << kUnitShift);
  rest->units = piece->units - units;
  insert(rest);
  piece->units = units;
  return true;
}

Span* KeptMappings::take(std::size_t units, std::size_t* kept_units) noexcept {
  Span* piece = pieces_.best_fit(units);
  if (piece == nullptr) return put_together(units, kept_units);
  erase(piece);
  *kept_units = units;
  if (cut(piece, units)) return piece;
  insert(piece);
  return nullptr;
}

Span* KeptMappings::put_together(std::size_t units, std::size_t* kept_units) noexcept {
  Span* range = pieces_.largest();
  if (range == nullptr) return nullptr;
  erase(range);
  if (lengthen(range, units, kept_units)) return range;
  put(range);
  return nullptr;
}

Span* KeptMappings::piece_at(std::uintptr_t start) const noexcept {
  Span* piece = pieces_.smallest();
  while (piece != nullptr && piece->start != start) piece = pieces_.after(piece);
  return piece;
}

bool KeptMappings::lengthen(Span* range, std::size_t units, std::size_t* kept_units) noexcept {
  Span* fresh = metadata_.new_span();  // what no piece fills
  if (fresh == nullptr) return false;
  Span* last = range;
  while (last->above != nullptr) last = last->above;
  Span* const old_last = last;
  // Best is what lies right behind, cut off it before: it needs no call.
  for (Span* piece; range->units < units && (piece = piece_at(range->end())) != nullptr;) {
    erase(piece);
    if (!cut(piece, units - range->units)) {
      insert(piece);
      break;
    }
    last = append(range, last, piece);
  }
  bool apart = false;
  if (range->units < units && !make_room(range, last, units, &apart)) {
    metadata_.delete_span(fresh);
    Span* taken = old_last->above;
    old_last->above = nullptr;
    while (taken != nullptr) {
      Span* next = taken->above;
      range->units -= taken->units;
      taken->above = nullptr;
      insert(taken);
      taken = next;
    }
    return false;
  }
  Span* const before_room = last;
  for (std::size_t parts = 1; parts < kMostParts && range->units < units; ++parts) {
    Span* piece = move_next(range, units - range->units);
    if (piece == nullptr) break;
    last = append(range, last, piece);
  }
  *kept_units = range->units;
  const std::size_t rest = units - range->units;
  if (rest != 0 && (apart || last != before_room)) {
    fresh->start = range->end();
    fresh->units = rest;
    append(range, last, fresh);
    return true;
  }
  if (last != range) last->units += rest;  // the same mapping of the kernel's as the last part
  range->units = units;
  metadata_.delete_span(fresh);
  return true;
}

// The new last part.
Span* KeptMappings::append(Span* range, Span* last, Span* part) noexcept {
  part->above = nullptr;
  last->above = part;
  range->units += part->units;
  return part;
}

// Maps what is missing behind the range, where need be in another place: one that is congruent to the old
// one, so that the kernel moves tables of pages instead of pages, and ten times as fast. *apart: what is
// mapped is a mapping of its own. False, and nothing changed, where the kernel refuses.
bool KeptMappings::make_room(Span* range, Span* last, std::size_t units, bool* apart) noexcept {
  constexpr std::size_t kTable = std::size_t{2} << 20;  // the addresses that one table maps
  const std::size_t bytes = units << kUnitShift, held = range->bytes();
  const std::size_t last_bytes = range->end() - last->start;
  *apart = false;
  if (kernel_.extend(last->start, last_bytes, last_bytes + bytes - held)) return true;
  void* const memory = last != range || bytes > kTable ? kernel_.map(bytes + kTable) : nullptr;
  if (memory == nullptr) {
    void* moved = last == range ? kernel_.remap(range->start, held, bytes) : nullptr;
    if (moved != nullptr) range->start = reinterpret_cast<std::uintptr_t>(moved);
    return moved != nullptr;
  }
  *apart = true;
  const auto room = reinterpret_cast<std::uintptr_t>(memory);
  const std::size_t before = (range->start - room) % kTable;
  const std::uintptr_t from = range->start, to = room + before;
  for (Span* part = range; part != nullptr; part = part->above) {
    const std::uintptr_t start = part->start;
    const std::uintptr_t end = part->above != nullptr ? part->above->start : from + held;
    part->start = to + (start - from);
    if (kernel_.move(start, end - start, part->start)) continue;
    // Too many mappings: the bytes go without their pages.
    std::memcpy(reinterpret_cast<void*>(part->start), reinterpret_cast<const void*>(start), end - start);
    give_back(start, end - start);
  }
  give_back(room, before);
  give_back(to + bytes, kTable - before);
  return true;
}

// Moves the largest piece, or as much of it as is missing, behind the range, where room is mapped. Null where
// there is none or the kernel refuses.
Span* KeptMappings::move_next(const Span* range, std::size_t missing) noexcept {
  Span* piece = pieces_.largest();
  if (piece == nullptr) return nullptr;
  erase(piece);
  if (!cut(piece, missing) || !kernel_.move(piece->start, piece->bytes(), range->end())) {
    insert(piece);
    return nullptr;
  }
  piece->start = range->end();
  return piece;
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
    kernel_.leaving_bytes.fetch_add(piece->bytes(), std::memory_order_relaxed);
    piece->above = gone;
    gone = piece;
  }
}

}  // namespace brkmmap
