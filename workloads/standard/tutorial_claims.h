// The twelve claims of the malloc tutorial, decided from what was seen while its sequence ran. Pure: figures
// in, verdicts out, with the figures that decide each. Offsets are relative to the program break at the
// start.
#pragma once

#include <cstddef>
#include <cstdint>

#include "workloads/text.h"

namespace heapmark {

inline constexpr int kClaims = 12;
inline constexpr std::int64_t kKiB = 1024;
inline constexpr std::int64_t kSizeA = 30 * kKiB, kSizeB = 40 * kKiB, kSizeC = 200 * kKiB,
                              kSizeD = 100 * kKiB, kSizeE = 50 * kKiB;
// Larger than B's or D's place alone, smaller than both together and than the mmap threshold.
inline constexpr std::int64_t kSizeProbe = 120 * kKiB;

struct BlockSeen {
  std::int64_t offset = 0;  // of its first byte
  bool in_brk_heap = false;
  std::int64_t pages = 0;         // that it spans
  std::int64_t pages_before = 0;  // of these, resident before the first touch
  std::int64_t faults = 0;        // minor faults at the touch
};

// Break, address space and resident memory at one moment.
struct Moment {
  std::int64_t break_offset = 0, virtual_bytes = 0, rss_bytes = 0;
};

// kFileReadBack: there is no swap, but a page of a mapped file could be read back.
enum class PagedOut : std::uint8_t { kNoSwap, kNotEvicted, kReadBack, kFileReadBack };

struct TutorialSeen {
  BlockSeen a, b, c, d, e;
  bool c_was_zero = false;
  Moment before_c, after_malloc_c;
  Moment before_free_c, after_free_c;
  Moment before_free_b, after_free_b;
  std::int64_t again_offset = 0;  // of the second request of 40K
  Moment before_free_d, after_free_d;
  std::int64_t probe_offset = 0;  // of the request of 120K after free(D)
  PagedOut paged_out = PagedOut::kNoSwap;
  std::int64_t major_faults = 0;  // at reading the page that was paged out
};

struct Claim {
  double holds = 0;  // 1, 0, or kNotMeasured
  Message text;      // what is claimed, and the figures
};

void decide_claims(const TutorialSeen& seen, Claim (&claims)[kClaims]);

}  // namespace heapmark
