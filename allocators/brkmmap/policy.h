// What to do with a free range: pure decisions over what is known of it and the thresholds. The page heap,
// above it, carries them out and falls back to keeping where the kernel refuses.
#pragma once

#include <cstddef>

#include "allocators/brkmmap/tunables.h"

namespace brkmmap {

struct FreeRange {
  std::size_t bytes;
  std::size_t dirty_bytes;  // that may have been written
  bool at_top;              // it ends at the break
  bool beside_hole;         // a neighbour's addresses are given back already
};

enum class Action { kKeep, kTrim, kPurge, kRelease };

// Beside a hole the addresses go as soon as purging would pay, since no further mapping is split off.
inline Action decide(const FreeRange& range, const Tunables& tunables) noexcept {
  if (range.at_top) return range.bytes > tunables.trim_threshold ? Action::kTrim : Action::kKeep;
  if (range.bytes >= tunables.release_threshold) return Action::kRelease;
  if (range.beside_hole && range.bytes >= tunables.purge_threshold) return Action::kRelease;
  if (range.dirty_bytes >= tunables.purge_threshold) return Action::kPurge;
  return Action::kKeep;
}

}  // namespace brkmmap
