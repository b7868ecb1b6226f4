// Page heap, slabs and metadata against a reference model, over a fake kernel whose calls can fail. The
// equation of the statistics is checked after every step.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "allocators/brkmmap/heap.h"
#include "allocators/brkmmap/tests/fake_os.h"

namespace brkmmap {
constinit std::uintptr_t secret = 0x5ec4e7;
}

using namespace brkmmap;

namespace {

struct Model {
  std::unique_ptr<PageMap> map = std::make_unique<PageMap>();
  std::unique_ptr<Heap> heap = std::make_unique<Heap>(*map);
  std::map<std::uintptr_t, Span*> blocks;

  bool balanced() const {
    std::size_t live = 0;
    for (const auto& [start, span] : blocks) live += span->bytes();
    return live + heap->pages.free_bytes() + heap->kernel.metadata_bytes == heap->kernel.mapped_bytes;
  }
  Span* allocate(std::size_t units, std::size_t alignment = kUnit) {
    std::size_t dirty_bytes = 0;
    const Guard guard(heap->lock);
    Span* span = heap->pages.allocate(units, &dirty_bytes, alignment);
    if (span == nullptr) return nullptr;
    REQUIRE(span->units == units);
    REQUIRE(span->start % alignment == 0);
    const auto next = blocks.lower_bound(span->start);
    REQUIRE((next == blocks.end() || next->first >= span->end()));
    REQUIRE((next == blocks.begin() || std::prev(next)->second->end() <= span->start));
    char* memory = reinterpret_cast<char*>(span->start);
    REQUIRE(dirty_bytes <= span->bytes());
    for (std::size_t at = dirty_bytes; at < span->bytes(); at += 512) REQUIRE(memory[at] == 0);
    REQUIRE((dirty_bytes == span->bytes() || memory[span->bytes() - 1] == 0));
    std::memset(memory, 0x5a, span->bytes());
    blocks[span->start] = span;
    return span;
  }
  void free(Span* span) {
    blocks.erase(span->start);
    const Guard guard(heap->lock);
    heap->pages.free(span);
  }
};

void random_steps(Model& model, std::mt19937_64& random, int steps) {
  for (int step = 0; step < steps; ++step) {
    const auto dice = random() % 16;
    if (dice < 8 || model.blocks.empty()) {
      model.allocate(1 + random() % (dice == 0 ? 2400 : 96), dice == 1 ? kUnit << random() % 8 : kUnit);
    } else {
      auto at = model.blocks.lower_bound(
          model.blocks.begin()->first +
          random() % (std::prev(model.blocks.end())->first - model.blocks.begin()->first + 1));
      if (dice == 8) {
        const std::size_t units = 1 + random() % 160;
        const Guard guard(model.heap->lock);
        if (model.heap->pages.resize(at->second, units)) REQUIRE(at->second->units == units);
      } else {
        model.free(at->second);
      }
    }
    REQUIRE(model.balanced());
  }
}

}  // namespace

TEST_CASE("the hole of a freed block goes to the next request of its size, and joins its neighbour") {
  fake::reset();
  Model model;
  Span* b = model.allocate(40);
  Span* d = model.allocate(100);
  CHECK(d->start == b->end());
  const std::uintptr_t place = b->start;
  model.free(b);
  b = model.allocate(40);
  CHECK(b->start == place);
  model.free(b);
  Span* e = model.allocate(50);
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
  model.heap->tunables.dynamic.set(0);
  std::mt19937_64 random(1);
  random_steps(model, random, 4000);
  while (!model.blocks.empty()) model.free(model.blocks.begin()->second);
  CHECK(model.balanced());
  CHECK(model.heap->pages.dirty_bytes() < 2 * model.heap->tunables.purge_threshold);
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
  Span* low = model.allocate(800);
  const std::uintptr_t top = model.heap->pages.brk().end();
  fake::foreign_sbrk(8192 + 16);
  model.free(low);
  CHECK(model.heap->kernel.trims.calls == 0);
  CHECK(os::program_break() == top + 8192 + 16);
  Span* high = model.allocate(2400);
  CHECK(high->start >= top + 8192 + 16);
  CHECK(model.balanced());
}

// Asks for objects and blocks of all classes and gives them back, in a random order, while each is filled
// with its class; a refused request is passed over.
void play_objects(Model& model, std::mt19937_64& random, int steps, bool scarce = false) {
  Heap& heap = *model.heap;
  std::vector<std::pair<void*, std::size_t>> objects;
  const auto give_back = [&](std::size_t which) {
    const auto [memory, index] = objects[which];
    const auto* bytes = static_cast<const unsigned char*>(memory);
    for (std::size_t at = 0; at < class_bytes(index); ++at)
      if (bytes[at] != index) FAIL("an object was written to by another");
    Object* object = static_cast<Object*>(memory);
    object->link(nullptr);
    heap.give_back(object);
    objects[which] = objects.back();
    objects.pop_back();
  };
  for (int step = 0; step < steps; ++step) {
    if (random() % 5 < 3) {
      const std::size_t index = random() % (random() % 8 == 0 ? kClasses : kFirstBlockClass);
      void* got[8];
      const std::size_t count = heap.fetch(random() % kShards, index, got, 1 + random() % 8);
      for (std::size_t at = 0; at < count; ++at) {
        std::memset(got[at], static_cast<int>(index), class_bytes(index));
        objects.emplace_back(got[at], index);
      }
    } else if (!objects.empty()) {
      give_back(random() % objects.size());
    }
    if (random() % 512 == 0) fake::foreign_sbrk(random() % 9000);
    if (scarce && random() % 256 == 0) heap.release_within_slabs();
    if (step % 64 != 0) continue;
    std::size_t live = heap.shelf.bytes(), slab_bytes = 0, object_bytes = 0;
    for (const auto& [memory, index] : objects) live += class_bytes(index);
    for (const Slabs& slabs : heap.shards) {
      slab_bytes += slabs.slab_bytes();
      object_bytes += slabs.object_bytes();
    }
    REQUIRE(object_bytes + heap.pages.out_bytes() - slab_bytes == live);
    REQUIRE(heap.pages.out_bytes() + heap.pages.free_bytes() + heap.kernel.metadata_bytes ==
            heap.kernel.mapped_bytes);
  }
  while (!objects.empty()) give_back(objects.size() - 1);
  heap.clear_shelf();
  for (const Slabs& slabs : heap.shards) CHECK(slabs.slab_bytes() == 0);
  CHECK(heap.pages.out_bytes() == 0);
  CHECK(heap.pages.free_bytes() + heap.kernel.metadata_bytes == heap.kernel.mapped_bytes);
}

TEST_CASE("objects of all sizes share slabs, and an emptied slab goes back at once") {
  fake::reset();
  Model model;
  std::mt19937_64 random(3);
  play_objects(model, random, 30'000);
}

TEST_CASE("a program that frees in random order what it has, in rounds, keeps the pages after some of them") {
  fake::reset();
  Model model;
  Heap& heap = *model.heap;
  std::mt19937_64 random(7);
  const auto given_back = [&] {
    return heap.kernel.purges.bytes + heap.kernel.releases.bytes + heap.kernel.trims.bytes;
  };
  constexpr std::uint64_t kMiB = 1 << 20;
  constexpr std::size_t kObjects = 6000, kStay = 180;  // less than the burst allowance
  std::vector<void*> objects;
  std::uint64_t in_first = 0, in_last = 0;
  for (int round = 0; round < 60; ++round) {
    const std::uint64_t before = given_back();
    while (objects.size() < kObjects) {
      void* got[8];
      const std::size_t count = heap.fetch(0, class_of(1024), got, 8);
      objects.insert(objects.end(), got, got + count);
    }
    std::shuffle(objects.begin(), objects.end(), random);
    for (; objects.size() > kStay; objects.pop_back()) {
      auto* object = static_cast<Object*>(objects.back());
      object->link(nullptr);
      heap.give_back(object);
    }
    (round == 0 ? in_first : in_last) = given_back() - before;
  }
  CHECK(in_first > 2 * kMiB);
  CHECK(in_last < kMiB / 2);
}

TEST_CASE("pages of descriptions go back when none on them is in use, and are used again") {
  fake::reset();
  Kernel kernel;
  Metadata metadata(kernel);
  std::mt19937_64 random(11);
  std::vector<Span*> spans;
  for (int round = 0; round < 3; ++round) {
    while (spans.size() < 5000) spans.push_back(metadata.new_span());
    std::set<std::uintptr_t> pages;
    for (const Span* span : spans)
      pages.insert(round_down(reinterpret_cast<std::uintptr_t>(span), kPageSize));
    CHECK(std::set<Span*>(spans.begin(), spans.end()).size() == spans.size());
    std::shuffle(spans.begin(), spans.end(), random);
    const auto given_back = [&] { return kernel.purges.bytes + kernel.releases.bytes; };
    const std::uint64_t before = given_back(), held = kernel.metadata_bytes;
    for (; spans.size() > 10; spans.pop_back()) metadata.delete_span(spans.back());
    // What stays: ten pages that hold a description and the first ones of their groups, and some spare ones.
    CHECK(given_back() - before >= (pages.size() - 10 - 10 - 34 - 5) * kPageSize);
    // Of the addresses: ten groups and some spare ones, and what is not a group yet.
    CHECK(kernel.metadata_bytes <= (10 + 4) * (std::size_t{32} << 10) + (std::size_t{256} << 10));
    CHECK(kernel.metadata_bytes < held);
    CHECK(kernel.metadata_bytes == kernel.mapped_bytes);
  }
}

TEST_CASE(
    "a mapping costs no more addresses than it asks for, however near the page map's next leaf begins") {
  constexpr std::uintptr_t kLeafBytes = std::uintptr_t{1} << PageMap::kLeafShift;
  for (const std::size_t above : {1, 50, 75, 100, 170, 350, 9000}) {
    fake::reset();
    // Room for the tables below as well, wherever this process's memory lies.
    fake::map_below(round_up(fake::mappings() + kLeafBytes, kLeafBytes) + above * kPageSize);
    Model model;
    Heap& heap = *model.heap;
    std::size_t dirty_bytes = 0;
    REQUIRE(heap.allocate_block(40, kUnit, &dirty_bytes) != nullptr);
    const std::uint64_t before = heap.kernel.mapped_bytes;
    REQUIRE(heap.mappings.allocate(50, kPageSize, &dirty_bytes) != nullptr);
    CAPTURE(above);
    CHECK(heap.kernel.mapped_bytes - before == 50 * kPageSize);
  }
}

TEST_CASE("objects survive the failure of any one kernel call, and foreign sbrk in between") {
  for (std::size_t call = 1; call <= 80; ++call) {
    fake::reset();
    Model model;
    model.heap->tunables.purge_threshold.set(4096);  // so that purges come early
    std::mt19937_64 random(call);
    fake::fail_at(call);
    play_objects(model, random, 1500);
  }
}

TEST_CASE("an aligned object is had where only a run without room for its alignment is left") {
  fake::reset();
  Model model;
  Heap& heap = *model.heap;
  // A page of 256 granules is cut so that its only free run, of 86, begins at 65: the multiple of 64 inside
  // of it is 128, and 24 granules from there on are one too many.
  void* objects[12];
  const std::size_t granules[] = {24, 24, 17, 24, 24, 24, 14, 24, 24, 24, 24, 9};
  for (std::size_t at = 0; at < 12; ++at)
    REQUIRE(heap.fetch(0, class_of(granules[at] * 16), &objects[at], 1) == 1);
  for (const std::size_t at : {3, 4, 5, 6}) {
    static_cast<Object*>(objects[at])->link(nullptr);
    heap.give_back(static_cast<Object*>(objects[at]));
  }
  void* aligned = nullptr;
  REQUIRE(heap.fetch(0, class_of(384), &aligned, 1, 1024) == 1);
  CHECK(reinterpret_cast<std::uintptr_t>(aligned) % 1024 == 0);
  for (const std::size_t alignment : {32, 64, 128, 256, 512, 1024, 2048, 4096})
    for (const std::size_t bytes : {1, 100, 1000, 1024, 3000, 4096, 8192, 12288}) {
      void* blocks[3];
      const std::size_t got = heap.fetch(0, class_of(bytes), blocks, 3, alignment);
      REQUIRE(got != 0);
      for (std::size_t at = 0; at < got; ++at)
        CHECK(reinterpret_cast<std::uintptr_t>(blocks[at]) % alignment == 0);
    }
}

TEST_CASE("objects survive that pages inside of their slabs give up their addresses") {
  for (std::size_t call = 0; call <= 60; ++call) {
    fake::reset();
    Model model;
    std::mt19937_64 random(call);
    fake::fail_at(call == 0 ? 0 : 100 + call * 7);
    play_objects(model, random, call == 0 ? 40'000 : 1500, true);
  }
}

TEST_CASE("where memory has run out, only pages that objects lie on are held") {
  fake::reset();
  Model model;
  Heap& heap = *model.heap;
  // Of each sixteen pages one object of a page stays: nearly all is free, and no slab is empty.
  constexpr std::size_t kASlab = slab_pages(kind_of_class(class_of(kPageSize)));
  constexpr std::size_t kSlabs = 250, kPages = kSlabs * kASlab;
  std::vector<void*> objects(kPages);
  const auto give_back = [&](void* object) {
    static_cast<Object*>(object)->link(nullptr);
    heap.give_back(static_cast<Object*>(object));
  };
  for (void*& object : objects) REQUIRE(heap.fetch(0, class_of(kPageSize), &object, 1) == 1);
  for (std::size_t at = 0; at < kPages; ++at) {
    if (at % kASlab == 3) continue;
    give_back(objects[at]);
  }
  heap.pages.release_everything();
  CHECK(heap.kernel.mapped_bytes > kPages * kPageSize);
  CHECK(heap.release_within_slabs());
  heap.pages.release_everything();
  CHECK(heap.kernel.mapped_bytes < kSlabs * kPageSize + heap.kernel.metadata_bytes + 2 * kPageSize);
  for (std::size_t at = 3; at < kPages; at += kASlab) std::memset(objects[at], 1, kPageSize);
  // A slab whose pages are gone hands out nothing of them, and goes when it is empty.
  void* more = nullptr;
  REQUIRE(heap.fetch(0, class_of(kPageSize), &more, 1) == 1);
  std::memset(more, 2, kPageSize);
  for (std::size_t at = 3; at < kPages; at += kASlab) give_back(objects[at]);
  give_back(more);
  CHECK(heap.shards[0].slab_bytes() == 0);
  CHECK(heap.pages.out_bytes() == 0);
  CHECK(heap.pages.free_bytes() + heap.kernel.metadata_bytes == heap.kernel.mapped_bytes);
}
