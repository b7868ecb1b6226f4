// Buffers that grow by realloc, some hundred of them in turn, each until it has reached a size drawn for it;
// then it is freed and begins anew. By small steps, as a program that appends text does, or by doubling.
// Idea: string and buffer growth of real programs (Perl, shells, json writers); realloc tests of glibc.
// Good: steps that mostly stay in place (below 100 ns at 16 B to 4 KiB), large buffers that move by mremap or
// not at all. Bad: each step copies: time in proportion to the size.
// Made to embarrass: size classes that are close together (a step changes the class, so it copies), and large
// buffers that are copied although the addresses behind them are free.
#include "workloads/common_parameters.h"
#include "workloads/size_source.h"

namespace heapmark {
namespace {

constexpr Parameter kParameters[] = {
    sizes_parameter("64..4K"),
    {"buffers", Kind::kCount, "500", "", 1, 1e7, "growing at one time, all threads together"},
    {"grow", Kind::kChoice, "steps", "steps|double", 0, 0,
     "by a small number of bytes, or to twice the size"},
    {"step", Kind::kCount, "48", "", 1, 1e9, "most bytes that a step adds"},
    threads_parameter(),
    operations_parameter("4M"),
};

constexpr Variant kVariants[] = {
    {"steps-small-1t", kUsualPasses, "sizes=64..4K,grow=steps", "operations=200000"},
    {"double-small-1t", kUsualPasses, "sizes=64..4K,grow=double", "operations=200000"},
    {"steps-large-1t", kUsualPasses, "sizes=64K..4M,grow=steps,step=16K,buffers=32,operations=400000",
     "operations=1000"},
};

constexpr std::uint64_t kFirstBytes = 16;

SizeSource sizes;

struct Realloc {
  struct Buffer {
    Block block;
    std::uint64_t wanted;
  };
  Buffer* buffers;
  std::uint64_t count, step_bytes;
  bool doubling;

  static std::uint32_t threads(Context& context) { return threads_of(context); }
  static std::uint64_t units(Context& context, std::uint32_t threads) {
    return units_of(context, threads, 1);
  }
  void set_up(Context& context, Member& member, Team& team) {
    if (member.number() == 0) sizes.set_up(context, "sizes");
    count = context.count("buffers") / team.threads() + 1;
    step_bytes = context.count("step");
    doubling = context.chosen("grow", "double");
    buffers = static_cast<Buffer*>(context.own_memory(count * sizeof(Buffer)));
  }
  void begin(Member& member, Buffer& buffer) {
    buffer.block = member.take(kFirstBytes);
    buffer.wanted = sizes.draw(member.random);
  }
  // Each buffer at another point of its growth: else all would be large and small together.
  void fill(Member& member) {
    for (std::uint64_t at = 0; at < count; ++at) {
      begin(member, buffers[at]);
      const std::uint64_t bytes = member.random.below(buffers[at].wanted) + 1;
      if (bytes > kFirstBytes) member.resize(buffers[at].block, bytes);
    }
  }
  void step(Member& member, std::uint64_t) {
    Buffer& buffer = buffers[member.random.below(count)];
    if (buffer.block.memory == nullptr) return begin(member, buffer);
    if (buffer.block.bytes >= buffer.wanted) return member.give_back(buffer.block);
    const std::uint64_t bytes =
        doubling ? 2 * buffer.block.bytes : buffer.block.bytes + 1 + member.random.below(step_bytes);
    member.resize(buffer.block, bytes < buffer.wanted ? bytes : buffer.wanted);
  }
  void finish(Member& member) {
    for (std::uint64_t at = 0; at < count; ++at) member.give_back_if_any(buffers[at].block);
  }
};

constexpr Workload kRealloc{
    "realloc",           "buffers that grow by realloc, by small steps or by doubling",
    kParameters,         kVariants,
    kSteadyMetrics,      TeamOf<Realloc>::prepare,
    TeamOf<Realloc>::run};

HEAPMARK_WORKLOAD(kRealloc)

}  // namespace
}  // namespace heapmark
