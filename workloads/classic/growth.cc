// Strings that grow by appending (realloc, a few bytes at a time) and vectors that grow by doubling (a new
// block, a copy, a free) side by side: a vector's old block is of no use to its next one, but to strings.
// Idea: the two kinds of growth that C and C++ libraries make, as allocators' authors discuss them (Koenig
// 1998 on growth factors; the notes on folly's fbvector on factors and realloc). `realloc` and `vectors`
// of the group patterns have each alone.
// Good: strings mostly grow in place, resident over live below 1.5. Bad: every append copies, or the holes of
// grown vectors stay empty: resident over live of 2 and more.
// Published: arguments and no figures: a factor of two never fits into what was freed before, 1.5 does.
// Made to embarrass: realloc that copies within its size class, and heaps that keep holes apart by size.
// Order here (results/classic, 1t, time, ~ within 5 %): tcmalloc, mimalloc, tbbmalloc, jemalloc, brkmmap,
// glibc, scudo.
#include "workloads/growth.h"

#include "workloads/common_parameters.h"
#include "workloads/size_source.h"

namespace heapmark {
namespace {

constexpr std::uint64_t kFirstBytes = 16, kMostAppended = 32;

constexpr Parameter kParameters[] = {
    sizes_parameter("64..4K"),
    {"vector_sizes", Kind::kSizes, "1K..64K", "", 0, 0, "that vectors grow to: one size, a range or a file"},
    {"strings", Kind::kCount, "4000", "", 1, 1e7, "growing at one time"},
    {"vectors", Kind::kCount, "400", "", 1, 1e7, "growing at one time"},
    operations_parameter("3M"),
};

constexpr Variant kVariants[] = {{"1t", kUsualPasses, "", "operations=100000"}};

struct Growing {
  Block block;
  std::uint64_t wanted;
};

struct Growth {
  SizeSource string_sizes, vector_sizes;
  Growing *strings, *vectors;
  std::uint64_t string_count, vector_count;

  static std::uint32_t threads(Context&) { return 1; }
  static std::uint64_t units(Context& context, std::uint32_t) { return units_of(context, 1, 1); }

  void set_up(Context& context, Member&, Team&) {
    string_sizes.set_up(context, "sizes");
    vector_sizes.set_up(context, "vector_sizes");
    string_count = context.count("strings");
    vector_count = context.count("vectors");
    strings = static_cast<Growing*>(context.own_memory(string_count * sizeof(Growing)));
    vectors = static_cast<Growing*>(context.own_memory(vector_count * sizeof(Growing)));
  }
  static void begin(Member& member, Growing& one, const SizeSource& sizes) {
    one.block = member.take(kFirstBytes);
    one.wanted = sizes.draw(member.random);
  }
  void append(Member& member, Growing& text) {
    if (text.block.memory == nullptr) return begin(member, text, string_sizes);
    if (text.block.bytes >= text.wanted) return member.give_back(text.block);
    member.resize(text.block, text.block.bytes + 1 + member.random.below(kMostAppended));
  }
  void push(Member& member, Growing& vector) {
    if (vector.block.memory == nullptr) return begin(member, vector, vector_sizes);
    if (vector.block.bytes >= vector.wanted) return member.give_back(vector.block);
    grow_by_copy(member, vector.block, 2 * vector.block.bytes);
  }
  // Each at another point of its growth.
  void fill(Member& member) {
    for (std::uint64_t at = 0; at < string_count; ++at) {
      begin(member, strings[at], string_sizes);
      member.resize(strings[at].block, kFirstBytes + member.random.below(strings[at].wanted));
    }
    for (std::uint64_t at = 0; at < vector_count; ++at) {
      begin(member, vectors[at], vector_sizes);
      const std::uint64_t bytes = member.random.below(vectors[at].wanted) + 1;
      while (vectors[at].block.bytes < bytes) push(member, vectors[at]);
    }
  }
  // A vector needs about ten steps from end to end, a string about seventy.
  void step(Member& member, std::uint64_t) {
    if (member.random.below(16) == 0) return push(member, vectors[member.random.below(vector_count)]);
    append(member, strings[member.random.below(string_count)]);
  }
  void finish(Member& member) {
    for (std::uint64_t at = 0; at < string_count; ++at) member.give_back_if_any(strings[at].block);
    for (std::uint64_t at = 0; at < vector_count; ++at) member.give_back_if_any(vectors[at].block);
  }
};

constexpr Workload kGrowth{"growth",           "strings that grow by realloc beside vectors that double",
                           kParameters,        kVariants,
                           kSteadyMetrics,     TeamOf<Growth>::prepare,
                           TeamOf<Growth>::run};

HEAPMARK_WORKLOAD(kGrowth)

}  // namespace
}  // namespace heapmark
