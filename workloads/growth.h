// How a container grows: by realloc, or by a new block, a copy and a free.
#pragma once

#include <cstring>

#include "workloads/team.h"

namespace heapmark {

// As std::vector does it. With --check the new block keeps its own pattern.
inline void grow_by_copy(Member& member, Block& block, std::uint64_t bytes) {
  Block larger = member.take(bytes);
  if (!member.checking()) std::memcpy(larger.memory, block.memory, block.bytes);
  member.give_back(block);
  block = larger;
}

}  // namespace heapmark
