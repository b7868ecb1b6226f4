// The oldest block dies first: a queue of messages, a log's ring, a sliding window. Each step frees the
// oldest of the live blocks and asks for a new one. Idea: the queue of Wilson et al. ("Dynamic Storage
// Allocation", 1995, on death in the order of birth). Good: the time of `replace` or less, since neighbours
// in time die together and whole pages become free in order; resident over live close to 1. Bad: resident
// memory of twice the live bytes: freed pages wait in lists while the front of the queue asks for new ones.
// Made to embarrass: thread caches that hand out the block freed last: it is cold, since it is the oldest.
#include "workloads/live_set.h"

namespace heapmark {
namespace {

constexpr Parameter kParameters[] = {sizes_parameter("16..1K"), live_parameter("48M"), threads_parameter(),
                                     operations_parameter("4M")};

constexpr Variant kVariants[] = {
    {"small-1t", kUsualPasses, "sizes=16..1K", "live=8M,operations=150000"},
    {"medium-1t", kUsualPasses, "sizes=1K..32K,operations=1M", "live=8M,operations=40000"},
};

struct Fifo : LiveSet<Fifo> {
  std::uint64_t oldest = 0;

  Block& next(Member&) {
    Block& slot = set.slots[oldest];
    oldest = oldest + 1 == set.count ? 0 : oldest + 1;
    return slot;
  }
};

constexpr Workload kFifo{"fifo",           "the oldest block dies first: queues and sliding windows",
                         kParameters,      kVariants,
                         kSteadyMetrics,   TeamOf<Fifo>::prepare,
                         TeamOf<Fifo>::run};

HEAPMARK_WORKLOAD(kFifo)

}  // namespace
}  // namespace heapmark
