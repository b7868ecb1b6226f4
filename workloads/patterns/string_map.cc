// A hash map from strings to strings that lives in steady state: each entry is a node, a key and a value of
// their own; entries come, go and get new values. The bucket array doubles as the map fills.
// Idea: std::unordered_map<string, string>, Redis' dictionary, every interpreter's environment.
// Good: a live byte costs little above its size class (1.2), time that of `replace`. Bad: 1.5 and more: three
// small blocks an entry, each with its header and rounding.
// Made to embarrass: 16-byte headers with a least block of 32 bytes (glibc), and allocators that are slow
// where blocks of three different sizes come and go together.
#include "workloads/common_parameters.h"
#include "workloads/size_source.h"

namespace heapmark {
namespace {

constexpr Parameter kParameters[] = {
    {"sizes", Kind::kSizes, "16..512", "", 0, 0, "of the values: one size, a range or a histogram file"},
    live_parameter("32M"),
    threads_parameter(),
    operations_parameter("6M"),
};

constexpr Variant kVariants[] = {
    {"steady-1t", kUsualPasses, "sizes=16..512", "live=4M,operations=150000"},
    {"steady-4t", kUsualPasses, "sizes=16..512,threads=4", "live=4M,operations=150000"},
};

constexpr std::uint64_t kNodeBytes = 48, kLeastKey = 8, kMostKey = 64, kFirstBuckets = 16;

SizeSource sizes;

struct StringMap {
  struct Entry {
    Block node, key, value;
  };
  Entry* entries;
  std::uint64_t places;
  std::uint64_t used = 0, bucket_count = 0;
  Block buckets{};

  static std::uint32_t threads(Context& context) { return threads_of(context); }
  // A visit makes two and two thirds calls in the mean: in steady state two thirds of the places are used; an
  // insertion and a removal make three calls each, a new value two.
  static std::uint64_t units(Context& context, std::uint32_t threads) {
    return units_of(context, threads, 8) * 3;
  }
  void set_up(Context& context, Member& member, Team& team) {
    if (member.number() == 0) sizes.set_up(context, "sizes");
    const std::uint64_t an_entry = kNodeBytes + (kLeastKey + kMostKey) / 2 + sizes.mean_bytes();
    places = context.count("live") / team.threads() * 3 / 2 / an_entry + 1;
    entries = static_cast<Entry*>(context.own_memory(places * sizeof(Entry)));
  }
  // As the standard map does: at one entry a bucket the array doubles; it never shrinks.
  void grow_buckets(Member& member) {
    if (used <= bucket_count) return;
    const std::uint64_t wanted = bucket_count == 0 ? kFirstBuckets : 2 * bucket_count;
    Block larger = member.take_zeroed(wanted * sizeof(void*));
    member.give_back_if_any(buckets);
    buckets = larger;
    bucket_count = wanted;
  }
  void insert(Member& member, Entry& entry) {
    entry.node = member.take(kNodeBytes);
    entry.key = member.take(kLeastKey + member.random.below(kMostKey - kLeastKey + 1));
    entry.value = member.take(sizes.draw(member.random));
    ++used;
    grow_buckets(member);
  }
  void erase(Member& member, Entry& entry) {
    member.give_back(entry.value);
    member.give_back(entry.key);
    member.give_back(entry.node);
    --used;
  }
  void fill(Member& member) {
    for (std::uint64_t at = 0; at < places; ++at)
      if (member.random.below(3) != 0) insert(member, entries[at]);
  }
  void step(Member& member, std::uint64_t) {
    Entry& entry = entries[member.random.below(places)];
    if (entry.node.memory == nullptr) return insert(member, entry);
    if (member.random.below(2) == 0) return erase(member, entry);
    Block value = member.take(sizes.draw(member.random));
    member.give_back(entry.value);
    entry.value = value;
  }
  void finish(Member& member) {
    for (std::uint64_t at = 0; at < places; ++at)
      if (entries[at].node.memory != nullptr) erase(member, entries[at]);
    member.give_back_if_any(buckets);
  }
};

constexpr Workload kStringMap{"string-map",          "a map of strings: a node, a key and a value an entry",
                              kParameters,           kVariants,
                              kSteadyMetrics,        TeamOf<StringMap>::prepare,
                              TeamOf<StringMap>::run};

HEAPMARK_WORKLOAD(kStringMap)

}  // namespace
}  // namespace heapmark
