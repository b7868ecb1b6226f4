// Producers send messages to consumers, half of them through proxies, which pass them on untouched;
// consumers free them. A message is a block of 32 bytes to 1 KiB; three threads out of four never free their
// own.
// Idea: msgpass of snmalloc's performance tests (Filardo and Parkinson, "BatchIt", ISMM 2024): producers,
// consumers and proxies as in an actor system. The original sends spans of messages to a random consumer's
// queue; here each role shares a queue, and messages pass one by one.
// Good: twice the time of prod-cons: a message is freed to the heap of its producer in batches, without a
// lock. Bad: five times that: each free takes the lock of, or a cache line from, the producer's heap.
// Published: what snmalloc itself gains by sending frees in batches; no order of others is quoted.
// Made to embarrass: thread caches, and frees that are sent to their owner one at a time.
// Order here (results/classic, 2-1-1, time, ~ within 5 %): mimalloc, jemalloc ~ tcmalloc, tbbmalloc, scudo,
// glibc, brkmmap.
#include "workloads/bounded_queue.h"
#include "workloads/common_parameters.h"
#include "workloads/size_source.h"

namespace heapmark {
namespace {

constexpr Parameter kParameters[] = {
    sizes_parameter("32..1K"),
    {"producers", Kind::kCount, "2", "", 1, 64, "threads that send messages"},
    {"proxies", Kind::kCount, "1", "", 1, 64, "threads that pass messages on"},
    {"consumers", Kind::kCount, "1", "", 1, 64, "threads that free them"},
    {"room", Kind::kCount, "1024", "", 1, 1e6, "messages that a queue holds"},
    operations_parameter("6M"),
};

constexpr Variant kVariants[] = {
    {"2-1-1", kUsualPasses, "producers=2,proxies=1,consumers=1", "operations=100000"}};

SizeSource sizes;
BoundedQueue<> to_proxies, to_consumers;

// In a unit each producer sends as many messages each way as there are pairs of a proxy and a consumer, and
// the others take their part of all: nobody waits for a thread that has stopped at the end of a slice.
struct MsgPass {
  std::uint64_t producers, proxies, consumers;

  static std::uint32_t threads(Context& context) {
    return static_cast<std::uint32_t>(context.count("producers") + context.count("proxies") +
                                      context.count("consumers"));
  }
  static std::uint64_t units(Context& context, std::uint32_t) {
    return units_of(context, 1,
                    4 * context.count("producers") * context.count("proxies") * context.count("consumers"));
  }
  void set_up(Context& context, Member& member, Team&) {
    producers = context.count("producers");
    proxies = context.count("proxies");
    consumers = context.count("consumers");
    if (member.number() != 0) return;
    sizes.set_up(context, "sizes");
    to_proxies.set_up(context, context.count("room"));
    to_consumers.set_up(context, context.count("room"));
  }
  void fill(Member&) {}
  void step(Member& member, std::uint64_t) {
    if (member.number() < producers)
      for (std::uint64_t at = 0; at < proxies * consumers; ++at) {
        to_proxies.put(member.take(sizes.draw(member.random)));
        to_consumers.put(member.take(sizes.draw(member.random)));
      }
    else if (member.number() < producers + proxies)
      for (std::uint64_t at = 0; at < producers * consumers; ++at) to_consumers.put(to_proxies.take());
    else
      for (std::uint64_t at = 0; at < 2 * producers * proxies; ++at) {
        Block message = to_consumers.take();
        member.give_back(message);
      }
  }
  void finish(Member&) {}
};

constexpr Workload kMsgPass{"msgpass",           "messages to consumers, half of them through proxies",
                            kParameters,         kVariants,
                            kSteadyMetrics,      TeamOf<MsgPass>::prepare,
                            TeamOf<MsgPass>::run};

HEAPMARK_WORKLOAD(kMsgPass)

}  // namespace
}  // namespace heapmark
