// The deciding parts and the page heap against naive computations and a reference model, over a fake kernel
// whose calls can fail. The equation of the statistics is checked after every step.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <map>
#include <memory>
#include <random>

#include "allocators/brkmmap/heap.h"
#include "allocators/brkmmap/policy.h"
#include "allocators/brkmmap/tests/fake_os.h"

using namespace brkmmap;

namespace {

std::size_t naive_class(std::size_t bytes) {
  for (std::size_t index = 0; index < kClasses; ++index) {
    if (kSizeClasses[index].size >= bytes) return index;
  }
  return kClasses;
}

struct Model {
  std::unique_ptr<Heap> heap = std::make_unique<Heap>();
  std::map<std::uintptr_t, Span*> blocks;

  bool balanced() const {
    std::size_t live = 0;
    for (const auto& [start, span] : blocks) live += span->bytes();
    return live + heap->pages.free_bytes() + heap->kernel.metadata_bytes == heap->kernel.mapped_bytes;
  }
  Span* allocate(std::size_t pages, std::size_t alignment = kPageSize) {
    bool zeroed = false;
    Span* span = heap->pages.allocate(pages, &zeroed, alignment);
    if (span == nullptr) return nullptr;
    REQUIRE(span->pages >= pages);
    REQUIRE(span->start % alignment == 0);
    const auto next = blocks.lower_bound(span->start);
    REQUIRE((next == blocks.end() || next->first >= span->end()));
    REQUIRE((next == blocks.begin() || std::prev(next)->second->end() <= span->start));
    char* memory = reinterpret_cast<char*>(span->start);
    if (zeroed) REQUIRE((memory[0] == 0 && memory[span->bytes() - 1] == 0));
    std::memset(memory, 0x5a, span->bytes());
    blocks[span->start] = span;
    return span;
  }
  void free(Span* span) {
    blocks.erase(span->start);
    heap->pages.free(span);
  }
};

void random_steps(Model& model, std::mt19937_64& random, int steps) {
  for (int step = 0; step < steps; ++step) {
    const auto dice = random() % 16;
    if (dice < 8 || model.blocks.empty()) {
      model.allocate(1 + random() % (dice == 0 ? 600 : 24),
                     dice == 1 ? kPageSize << random() % 6 : kPageSize);
    } else {
      auto at = model.blocks.lower_bound(
          model.blocks.begin()->first +
          random() % (std::prev(model.blocks.end())->first - model.blocks.begin()->first + 1));
      if (dice == 8) {
        const std::size_t pages = 1 + random() % 40;
        if (model.heap->pages.resize(at->second, pages)) REQUIRE(at->second->pages == pages);
      } else {
        model.free(at->second);
      }
    }
    REQUIRE(model.balanced());
  }
}

}  // namespace

TEST_CASE("every request gets the smallest class that holds it") {
  for (std::size_t bytes = 1; bytes <= kMaxSmall; ++bytes) {
    if (class_of(bytes) != naive_class(bytes)) FAIL(bytes);
  }
  CHECK(class_of(0) == 0);
}

TEST_CASE("every offset of every span is divided as the plain division does") {
  for (const SizeClass& row : kSizeClasses) {
    CHECK(row.pages * kPageSize % row.size * 8 <= row.pages * kPageSize);
    for (std::uint64_t offset = 0; offset < row.pages * kPageSize; ++offset) {
      if ((offset * row.reciprocal >> 32) != offset / row.size) FAIL(row.size << " " << offset);
    }
  }
}

TEST_CASE("amounts are read with their suffixes and nothing else is") {
  std::uint64_t value = 7;
  CHECK((parse_amount("128K", &value) && value == 131072));
  CHECK((parse_amount("2g", &value) && value == std::uint64_t{2} << 30));
  for (const char* bad : {"", "K", "-1", "1KB", "12x", "99999999999999999999", "18446744073709551615K"}) {
    CHECK_FALSE(parse_amount(bad, &value));
  }
}

TEST_CASE("a bad value in the environment is told once and the default kept") {
  int pipes[2];
  REQUIRE(pipe(pipes) == 0);
  char good[] = "BRKMMAP_TOP_PAD=1M", bad[] = "BRKMMAP_MMAP_THRESHOLD=12";
  char* environment[] = {good, bad, nullptr};
  Tunables tunables;
  CHECK(read_environment(tunables, environment, pipes[1]) == 1);
  CHECK(tunables.top_pad == 1 << 20);
  CHECK(tunables.mmap_threshold == 131072);
  char text[400] = {};
  CHECK(read(pipes[0], text, sizeof text - 1) > 0);
  CHECK_THAT(text, Catch::Contains("BRKMMAP_MMAP_THRESHOLD=12") && Catch::Contains("131072"));
  close(pipes[0]);
  close(pipes[1]);
}

TEST_CASE("the policy trims only over the threshold and gives large ranges below the top back") {
  const Tunables tunables;
  CHECK(decide({131072, 0, true, false}, tunables) == Action::kKeep);
  CHECK(decide({131073, 0, true, false}, tunables) == Action::kTrim);
  CHECK(decide({40960, 40960, false, false}, tunables) == Action::kKeep);
  CHECK(decide({262144, 262144, false, false}, tunables) == Action::kPurge);
  CHECK(decide({524288, 4096, false, false}, tunables) == Action::kKeep);
  CHECK(decide({262144, 4096, false, true}, tunables) == Action::kRelease);
  CHECK(decide({1048576, 4096, false, false}, tunables) == Action::kRelease);
}

TEST_CASE("the hole of a freed block goes to the next request of its size, and joins its neighbour") {
  fake::reset();
  Model model;
  Span* b = model.allocate(10);
  Span* d = model.allocate(25);
  CHECK(d->start == b->end());
  const std::uintptr_t place = b->start;
  model.free(b);
  b = model.allocate(10);
  CHECK(b->start == place);
  model.free(b);
  Span* e = model.allocate(13);
  CHECK(e->start == d->end());
  model.free(e);
  const std::uint64_t trims = model.heap->kernel.trims.calls;
  model.free(d);
  CHECK(model.heap->kernel.trims.calls == trims + 1);
  CHECK(model.heap->pages.free_ranges() == 1);
  CHECK(model.balanced());
}

TEST_CASE("random steps never overlap and keep the equation") {
  fake::reset();
  Model model;
  std::mt19937_64 random(1);
  random_steps(model, random, 4000);
  while (!model.blocks.empty()) model.free(model.blocks.begin()->second);
  CHECK(model.balanced());
  CHECK(model.heap->pages.free_bytes() < std::size_t{1} << 20);  // what no threshold reaches
  CHECK(model.heap->kernel.releases.calls > 0);
}

TEST_CASE("a failure of any one kernel call is survived with the equation kept") {
  for (std::size_t call = 1; call <= 60; ++call) {
    fake::reset();
    Model model;
    std::mt19937_64 random(call);
    fake::fail_at(call);
    random_steps(model, random, 150);
  }
}

TEST_CASE("trim leaves the break alone after a foreign sbrk, and growth goes on above it") {
  fake::reset();
  Model model;
  Span* low = model.allocate(200);
  const std::uintptr_t top = model.heap->pages.brk().end();
  fake::foreign_sbrk(8192 + 16);
  model.free(low);
  CHECK(model.heap->kernel.trims.calls == 0);
  CHECK(os::program_break() == top + 8192 + 16);
  Span* high = model.allocate(600);
  CHECK(high->start >= top + 8192 + 16);
  CHECK(model.balanced());
}

TEST_CASE("an emptied span of a size class goes back at once") {
  fake::reset();
  auto heap = std::make_unique<Heap>();
  std::size_t taken = 0;
  Object* list = heap->fetch(3, 40, &taken);
  REQUIRE(taken == 40);
  CHECK(heap->central[3].span_bytes() > 0);
  heap->give_back(3, list);
  CHECK(heap->central[3].span_bytes() == 0);
  CHECK(heap->pages.free_bytes() + heap->kernel.metadata_bytes == heap->kernel.mapped_bytes);
}
