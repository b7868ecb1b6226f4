// A heap that lay idle: its pages were paged out, and then a tenth of its objects is used again. What an
// allocator's layout costs is seen by the disk: blocks that belong together and lie together come back with
// few major faults. Objects are built of blocks of many sizes, several at a time, as the requests of a server
// are; then most are replaced, so that new ones get the holes that old ones left. The blocks of a hot object
// are not written but read. Read major_faults_per_hot_mib together with hot_pages_per_mib, which needs no
// swap: 256 pages a MiB would be hot blocks alone on their pages.
#include "workloads/blocks.h"
#include "workloads/context.h"
#include "workloads/rng.h"
#include "workloads/size_source.h"

namespace heapmark {
namespace {

constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kBlocks = 64;  // of an object
constexpr std::uint64_t kAtOnce = 8;   // objects that are built in turns
constexpr double kMib = 1024.0 * 1024.0;

constexpr Parameter kParameters[] = {
    {"live", Kind::kBytes, "64M", "", 1024 * 1024, 1e12, "live bytes aimed at"},
    {"sizes", Kind::kSizes, "16..1K", "", 0, 0, "of the blocks: one size, a range or a histogram file"},
    {"hot", Kind::kShare, "0.1", "", 0.001, 1, "share of the objects that is used again"},
    {"replaced", Kind::kShare, "2", "", 0, 100, "objects replaced at random, over all objects"},
};

constexpr Variant kVariants[] = {{"tenth", kPressure, "", "live=24M"}};

constexpr MetricInfo kMetrics[] = {
    {"major_faults_per_hot_mib", "1/MiB", Better::kLower, kPressure, true,
     "major faults at using the hot objects again, per MiB of their blocks; not measured without swap"},
    {"minor_faults_per_hot_mib", "1/MiB", Better::kLower, kPressure, false,
     "minor faults beside them: pages that the kernel read in advance with another"},
    {"hot_pages_per_mib", "1/MiB", Better::kLower, kPressure, true,
     "pages that the hot blocks lie on, per MiB of them"},
    {"left_resident_share", "ratio", Better::kNeither, kPressure, false,
     "of the heap, still in memory after the kernel was asked to page it out; not measured without swap"},
};

SizeSource sizes;
Block* blocks;  // those of object o from o * kBlocks on
std::uint64_t* pages;
std::uint64_t object_count, hot_count, identity;

void prepare(Context& context) {
  sizes.set_up(context, "sizes");
  object_count = context.count("live") / (sizes.mean_bytes() * kBlocks) + kAtOnce;
  hot_count = static_cast<std::uint64_t>(static_cast<double>(object_count) * context.number("hot"));
  if (hot_count == 0) hot_count = 1;
  blocks = static_cast<Block*>(context.own_memory(object_count * kBlocks * sizeof(Block)));
  const std::uint64_t most_pages = hot_count * kBlocks * (sizes.largest_bytes() / kPage + 2);
  pages = static_cast<std::uint64_t*>(context.own_memory(most_pages * sizeof *pages));
}

void take(Context& context, Block& block, Rng& random) {
  const std::uint64_t bytes = sizes.draw(random);
  block = {ask(bytes), bytes, ++identity};
  if (block.memory == nullptr)
    context.fail(Outcome::kOutOfMemory, "a request was refused: choose fewer live bytes");
  if (context.checking())
    fill_pattern(block.memory, bytes, block.identity);
  else
    touch_pages(block.memory, bytes);
}

void give_back(Context& context, Block& block) {
  if (context.checking()) verify_pattern(context, block.memory, block.bytes, block.identity);
  free_block(block.memory, block.bytes);
  block.memory = nullptr;
}

void build(Context& context, Rng& random) {
  for (std::uint64_t first = 0; first < object_count; first += kAtOnce)
    for (std::uint64_t at = 0; at < kBlocks; ++at)
      for (std::uint64_t object = first; object < first + kAtOnce && object < object_count; ++object)
        take(context, blocks[object * kBlocks + at], random);
}

void replace_some(Context& context, Rng& random) {
  const auto times =
      static_cast<std::uint64_t>(static_cast<double>(object_count) * context.number("replaced"));
  for (std::uint64_t time = 0; time < times; ++time) {
    Block* const object = blocks + random.below(object_count) * kBlocks;
    for (std::uint64_t at = 0; at < kBlocks; ++at) give_back(context, object[at]);
    for (std::uint64_t at = 0; at < kBlocks; ++at) take(context, object[at], random);
  }
}

// Brings the hot objects to the front, in a random order.
void choose_hot(Rng& random) {
  for (std::uint64_t at = 0; at < hot_count; ++at) {
    const std::uint64_t other = at + random.below(object_count - at);
    for (std::uint64_t of = 0; of < kBlocks && other != at; ++of) {
      const Block kept = blocks[at * kBlocks + of];
      blocks[at * kBlocks + of] = blocks[other * kBlocks + of];
      blocks[other * kBlocks + of] = kept;
    }
  }
}

void sift_down(std::uint64_t* heap, std::uint64_t at, std::uint64_t count) {
  for (std::uint64_t child = 2 * at + 1; child < count; at = child, child = 2 * at + 1) {
    if (child + 1 < count && heap[child + 1] > heap[child]) ++child;
    if (heap[at] >= heap[child]) return;
    const std::uint64_t kept = heap[at];
    heap[at] = heap[child];
    heap[child] = kept;
  }
}

// Different pages of the hot blocks: sorted (heapsort: in place), then counted.
std::uint64_t hot_pages() {
  std::uint64_t count = 0;
  for (std::uint64_t at = 0; at < hot_count * kBlocks; ++at) {
    const auto first = reinterpret_cast<std::uintptr_t>(blocks[at].memory);
    for (std::uintptr_t page = first / kPage; page <= (first + blocks[at].bytes - 1) / kPage; ++page)
      pages[count++] = page;
  }
  for (std::uint64_t at = count / 2; at > 0; --at) sift_down(pages, at - 1, count);
  for (std::uint64_t left = count; left > 1; --left) {
    const std::uint64_t largest = pages[0];
    pages[0] = pages[left - 1];
    pages[left - 1] = largest;
    sift_down(pages, 0, left - 1);
  }
  std::uint64_t different = count > 0 ? 1 : 0;
  for (std::uint64_t at = 1; at < count; ++at) different += pages[at] != pages[at - 1] ? 1 : 0;
  return different;
}

void read_block(const Block& block) {
  const volatile char* const first = static_cast<const char*>(block.memory);
  for (std::uint64_t at = 0; at < block.bytes; at += kPage) (void)first[at];
  (void)first[block.bytes - 1];
}

void run(Context& context) {
  Rng random(context.seed(), 0);
  context.phase("build");
  build(context, random);
  context.phase("replace");
  replace_some(context, random);
  choose_hot(random);
  std::uint64_t hot_bytes = 0;
  for (std::uint64_t at = 0; at < hot_count * kBlocks; ++at) hot_bytes += blocks[at].bytes;
  const std::uint64_t different_pages = hot_pages();

  context.phase("idle");
  const double left = context.page_out();
  context.phase("hot again");
  const Observation before = context.observe();
  context.start_clock(hot_count);
  for (std::uint64_t object = 0; object < hot_count; ++object) {
    context.slice(object);
    for (std::uint64_t at = 0; at < kBlocks; ++at) read_block(blocks[object * kBlocks + at]);
  }
  context.stop_clock(hot_count, hot_count * kBlocks);
  const Observation after = context.observe();

  context.phase("free all");
  for (std::uint64_t at = 0; at < object_count * kBlocks; ++at) give_back(context, blocks[at]);
  const double mib = static_cast<double>(hot_bytes) / kMib;
  const bool paged_out = left == left;  // else it is not a number
  const auto per_mib = [&](std::uint64_t faults) {
    return paged_out ? static_cast<double>(faults) / mib : kNotMeasured;
  };
  context.metric("major_faults_per_hot_mib", per_mib(after.major_faults - before.major_faults));
  context.metric("minor_faults_per_hot_mib", per_mib(after.minor_faults - before.minor_faults));
  context.metric("hot_pages_per_mib", static_cast<double>(different_pages) / mib);
  context.metric("left_resident_share", left);
}

constexpr Workload kIdlePages{
    "idle_pages", "a heap that was paged out while idle, of which a tenth is used again",
    kParameters,  kVariants,
    kMetrics,     prepare,
    run};

HEAPMARK_WORKLOAD(kIdlePages)

}  // namespace
}  // namespace heapmark
