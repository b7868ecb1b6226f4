// Each thread asks for a small block, writes to it many times, frees it, and again. If the allocator lays
// blocks of two threads into one cache line, their writes slow each other down (active false sharing).
// Idea: cache-thrash of the Hoard paper (Berger et al., ASPLOS 2000), blocks of 8 bytes, 100 writes each.
// Good: the same time on every number of threads up to the CPUs. Bad: several times that: one heap for all
// threads hands neighbouring blocks to different threads.
// Published: single-heap allocators scale badly, Hoard and those with heaps of threads do not suffer.
// Made to embarrass: serial heaps; today mainly those whose shared lists mix lines of threads.
#include "workloads/common_parameters.h"
#include "workloads/size_source.h"

namespace heapmark {
namespace {

constexpr Parameter kParameters[] = {
    sizes_parameter("8"),
    {"writes", Kind::kCount, "100", "", 1, 1e9, "to each byte of a block before it is freed"},
    threads_parameter("4"),
    operations_parameter("2M"),
};

constexpr Variant kVariants[] = {{"4t", kUsualPasses, "threads=4", "operations=100000"}};

SizeSource sizes;

struct CacheThrash {
  std::uint64_t writes;

  static std::uint32_t threads(Context& context) { return threads_of(context); }
  static std::uint64_t units(Context& context, std::uint32_t threads) {
    return units_of(context, threads, 2);
  }
  void set_up(Context& context, Member& member, Team&) {
    if (member.number() == 0) sizes.set_up(context, "sizes");
    writes = context.count("writes");
  }
  void fill(Member&) {}
  void step(Member& member, std::uint64_t) {
    Block block = member.take(sizes.draw(member.random));
    member.write_again(block, writes);
    member.give_back(block);
  }
  void finish(Member&) {}
};

constexpr Workload kCacheThrash{"cache-thrash",
                                "small blocks of each thread that are written many times",
                                kParameters,
                                kVariants,
                                kSteadyMetrics,
                                TeamOf<CacheThrash>::prepare,
                                TeamOf<CacheThrash>::run};

HEAPMARK_WORKLOAD(kCacheThrash)

}  // namespace
}  // namespace heapmark
