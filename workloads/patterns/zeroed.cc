// calloc: blocks that must be zero, a random one of a live set replaced each time; small ones, and large ones
// that are fresh from the kernel (already zero) or used before (to be cleared).
// Idea: calloc(3) as used by interpreters and numeric libraries (numpy.zeros); reports of calloc being slower
// than malloc and memset.
// Good: small blocks cost a memset more than `replace`; large ones are not cleared twice: fresh pages of the
// kernel are zero. Bad: large blocks that are cleared although they were just mapped (each page is touched
// twice), or mapped anew each time (a fault for each page, where clearing would cost less).
// Made to embarrass: calloc as malloc plus memset, and munmap with each large free.
#include "workloads/live_set.h"

namespace heapmark {
namespace {

constexpr Parameter kParameters[] = {sizes_parameter("16..1K"), live_parameter("16M"), threads_parameter(),
                                     operations_parameter("4M")};

constexpr Variant kVariants[] = {
    {"small-1t", kUsualPasses, "sizes=16..1K", "live=4M,operations=150000"},
    {"large-1t", kUsualPasses, "sizes=64K..4M,live=64M,operations=20000", "live=16M,operations=120"},
};

struct Zeroed : LiveSet<Zeroed> {
  static Block take(Member& member) { return member.take_zeroed(sizes.draw(member.random)); }
};

constexpr Workload kZeroed{"zeroed",           "calloc of small and of large blocks",
                           kParameters,        kVariants,
                           kSteadyMetrics,     TeamOf<Zeroed>::prepare,
                           TeamOf<Zeroed>::run};

HEAPMARK_WORKLOAD(kZeroed)

}  // namespace
}  // namespace heapmark
