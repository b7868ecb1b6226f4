// Buffers of whole pages at addresses that are multiples of a page (posix_memalign): direct input and output,
// packet rings, pages of a data base. A random one of a live set is replaced each time.
// Idea: open(2) with O_DIRECT, whose buffers must be aligned; SQLite's and InnoDB's page caches.
// Good: the time of malloc at that size, resident over live close to 1: a page-aligned buffer of 4 KiB uses
// one page. Bad: two pages for each page: alignment by asking for more and wasting the rest, or a header that
// spills into the page before.
// Made to embarrass: headers in front of the block, and aligned requests that bypass every cache.
#include "workloads/live_set.h"

namespace heapmark {
namespace {

constexpr Parameter kParameters[] = {
    {"sizes", Kind::kSizes, "4K..128K", "", 0, 0,
     "of the buffers, rounded up to the alignment: one size, a range or a histogram file"},
    {"alignment", Kind::kCount, "4096", "", 16, 1 << 30, "of each buffer, a power of two"},
    live_parameter("48M"),
    threads_parameter(),
    operations_parameter("600000"),
};

constexpr Variant kVariants[] = {
    {"buffers-1t", kUsualPasses, "sizes=4K..128K", "live=8M,operations=16000"},
};

std::uint64_t alignment;

struct Pages : LiveSet<Pages> {
  static void read_sizes(Context& context) {
    sizes.set_up(context, "sizes");
    alignment = context.count("alignment");
    if ((alignment & (alignment - 1)) != 0)
      context.fail(Outcome::kUsage, "alignment must be a power of two, 4096 for instance");
  }
  static std::uint64_t count_of(Context& context, std::uint32_t threads) {
    return context.count("live") / threads / (sizes.mean_bytes() + alignment / 2) + 1;
  }
  static Block take(Member& member) {
    const std::uint64_t bytes = sizes.draw(member.random);
    return member.take_aligned(alignment, (bytes + alignment - 1) & ~(alignment - 1));
  }
};

constexpr Workload kPages{"pages",           "page-aligned buffers of whole pages",
                          kParameters,       kVariants,
                          kSteadyMetrics,    TeamOf<Pages>::prepare,
                          TeamOf<Pages>::run};

HEAPMARK_WORKLOAD(kPages)

}  // namespace
}  // namespace heapmark
