// Growing vectors, as std::vector does it: a new block of twice (or one and a half times) the bytes, copy,
// free the old one. Many vectors grow in turn; one that has reached its size is freed and begins anew.
// Idea: the growth policies of C++ libraries; Koenig 1998 on why a factor of two never fits into what was
// freed before and one and a half does.
// Good: the copying dominates and resident over live stays below 2. Bad: far above 2: freed smaller blocks
// are of no use to the larger ones that follow, and are kept.
// Made to embarrass: heaps of one contiguous range (the holes left behind are each too small for the next
// block), and size classes that never give a free slab to another class.
#include "workloads/common_parameters.h"
#include "workloads/growth.h"
#include "workloads/size_source.h"

namespace heapmark {
namespace {

constexpr Parameter kParameters[] = {
    sizes_parameter("1K..256K"),
    {"vectors", Kind::kCount, "200", "", 1, 1e7, "growing at one time, all threads together"},
    {"factor", Kind::kChoice, "2", "2|1.5", 0, 0, "by which a vector grows"},
    threads_parameter(),
    operations_parameter("1M"),
};

constexpr Variant kVariants[] = {
    {"double-1t", kUsualPasses, "factor=2", "operations=40000"},
};

constexpr std::uint64_t kFirstBytes = 32;

SizeSource sizes;

struct Vectors {
  struct Vector {
    Block block;
    std::uint64_t wanted;
  };
  Vector* vectors;
  std::uint64_t count;
  bool doubling;

  static std::uint32_t threads(Context& context) { return threads_of(context); }
  static std::uint64_t units(Context& context, std::uint32_t threads) {
    return units_of(context, threads, 2);
  }
  void set_up(Context& context, Member& member, Team& team) {
    if (member.number() == 0) sizes.set_up(context, "sizes");
    count = context.count("vectors") / team.threads() + 1;
    doubling = context.chosen("factor", "2");
    vectors = static_cast<Vector*>(context.own_memory(count * sizeof(Vector)));
  }
  void begin(Member& member, Vector& vector) {
    vector.block = member.take(kFirstBytes);
    vector.wanted = sizes.draw(member.random);
  }
  void grow(Member& member, Vector& vector) const {
    const std::uint64_t bytes = vector.block.bytes;
    grow_by_copy(member, vector.block, doubling ? 2 * bytes : bytes * 3 / 2);
  }
  // Each vector at another point of its growth.
  void fill(Member& member) {
    for (std::uint64_t at = 0; at < count; ++at) {
      begin(member, vectors[at]);
      const std::uint64_t bytes = member.random.below(vectors[at].wanted) + 1;
      while (vectors[at].block.bytes < bytes) grow(member, vectors[at]);
    }
  }
  void step(Member& member, std::uint64_t) {
    Vector& vector = vectors[member.random.below(count)];
    if (vector.block.bytes < vector.wanted) return grow(member, vector);
    member.give_back(vector.block);
    begin(member, vector);
  }
  void finish(Member& member) {
    for (std::uint64_t at = 0; at < count; ++at) member.give_back(vectors[at].block);
  }
};

constexpr Workload kVectors{"vectors",           "vectors that grow by a new block, a copy and a free",
                            kParameters,         kVariants,
                            kSteadyMetrics,      TeamOf<Vectors>::prepare,
                            TeamOf<Vectors>::run};

HEAPMARK_WORKLOAD(kVectors)

}  // namespace
}  // namespace heapmark
