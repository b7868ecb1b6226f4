// Has the kernel page out the heap of this process: every private anonymous mapping but its stack and what is
// named as not to be touched. Uses no malloc. Above: Context::page_out().
#pragma once

#include <cstddef>
#include <cstdint>

namespace heapmark::host {

struct AddressRange {
  std::uintptr_t begin, end;
};

// Returns the share of those pages that is in memory afterwards, after some tries; kNotMeasured where the
// machine has no swap, /proc/self/maps cannot be read or nothing was in memory.
double page_out_heap(const AddressRange* spared, std::size_t spared_count);

}  // namespace heapmark::host
