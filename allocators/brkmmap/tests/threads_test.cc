// Thread caches, central lists and page heap under several threads at once, over the fake kernel: what tsan
// should see. Objects wander between threads, so that most are freed by another than the one that asked.
#include <algorithm>
#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <cstring>
#include <memory>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "allocators/brkmmap/heap.h"
#include "allocators/brkmmap/tests/fake_os.h"
#include "allocators/brkmmap/thread.h"

namespace brkmmap {
// the library's own stand in entry.cc, which is not part of this program
constinit PageMap page_map;
constinit Heap heap(page_map);
}  // namespace brkmmap

using namespace brkmmap;

namespace {

// As the library's constructor does: a thread's cache is forgotten when the thread ends.
[[maybe_unused]] const bool armed = (ThreadCache::arm_thread_exit(), true);

struct Held {
  void* memory = nullptr;
  std::size_t index = 0;  // size class
  unsigned char tag = 0;
  [[nodiscard]] std::size_t bytes() const { return class_bytes(index); }
};

// A place where one thread leaves an object and any thread takes it.
using Exchange = std::array<std::atomic<Held*>, 256>;

void put(std::size_t index, void* memory) {
  ThreadCache::mine().push(index, {memory, page_map.get(reinterpret_cast<std::uintptr_t>(memory))});
}

void ask(Held& held, std::mt19937& random) {
  held.tag = static_cast<unsigned char>(random());
  held.index = random() % kClasses;
  held.memory = ThreadCache::mine().pop(held.index);
  if (held.memory != nullptr) std::memset(held.memory, held.tag, held.bytes());
}

// False where somebody else wrote into the object: two had it at once.
bool give(Held& held) {
  if (held.memory == nullptr) return true;
  const auto* bytes = static_cast<const unsigned char*>(held.memory);
  bool whole = true;
  for (std::size_t at = 0; at < held.bytes(); ++at) whole = whole && bytes[at] == held.tag;
  put(held.index, held.memory);
  return whole;
}

void wander(bool scarce) {
  constexpr int kThreads = 4, kSteps = 20'000;
  const auto exchange = std::make_unique<Exchange>();
  std::atomic<int> damaged{0}, asked{0};
  {
    std::vector<std::thread> threads;
    for (int number = 0; number < kThreads; ++number)
      threads.emplace_back([&, number] {
        std::mt19937 random(static_cast<unsigned>(number) + 1);
        for (int step = 0; step < kSteps; ++step) {
          auto mine = std::make_unique<Held>();
          ask(*mine, random);
          if (scarce && step % 500 == 499) heap.release_within_slabs();
          if (mine->memory != nullptr) asked.fetch_add(1);
          const std::unique_ptr<Held> other(
              (*exchange)[random() % exchange->size()].exchange(mine.release()));
          if (other != nullptr && !give(*other)) damaged.fetch_add(1);
        }
        brkmmap::thread.flush();
      });
    for (std::thread& thread : threads) thread.join();
  }
  for (auto& place : *exchange) {
    const std::unique_ptr<Held> left(place.exchange(nullptr));
    if (left != nullptr && !give(*left)) damaged.fetch_add(1);
  }
  brkmmap::thread.flush();

  CHECK(asked == kThreads * kSteps);
  CHECK(damaged == 0);
  for (const Slabs& slabs : heap.shards) {
    CHECK(slabs.slab_bytes() == 0);
    CHECK(slabs.object_bytes() == 0);
  }
  CHECK(heap.pages.free_bytes() + heap.kernel.metadata_bytes == heap.kernel.mapped_bytes);
}

}  // namespace

TEST_CASE("objects that wander between threads stay whole, and all memory is returned") {
  fake::reset();
  wander(false);
}

// On the heap as the first case left it: nothing is live in it.
TEST_CASE("they do where pages inside of slabs give up their addresses meanwhile") {
  wander(true);
}

namespace {

// Two threads ask for some MiB and free all of it, in rounds. Returns the most that was seen on the shelf.
std::size_t empty_again_and_again() {
  std::atomic<std::size_t> most{0};
  std::atomic<int> damaged{0};
  std::vector<std::thread> threads;
  for (unsigned number = 0; number < 2; ++number)
    threads.emplace_back([&, number] {
      std::mt19937 random(number);
      std::vector<Held> held(4000);
      for (int round = 0; round < 30; ++round) {
        for (Held& one : held) {
          one.index = class_of(1024);
          one.tag = static_cast<unsigned char>(random());
          one.memory = ThreadCache::mine().pop(one.index);
          if (one.memory != nullptr) std::memset(one.memory, one.tag, one.bytes());
        }
        for (Held& one : held)
          if (!give(one)) damaged.fetch_add(1);
        if (heap.shelf.bytes() > most.load()) most.store(heap.shelf.bytes());
      }
      brkmmap::thread.flush();
    });
  for (std::thread& thread : threads) thread.join();
  brkmmap::thread.flush();
  CHECK(damaged == 0);
  CHECK(heap.shelf.bytes() == 0);
  for (const Slabs& slabs : heap.shards) CHECK(slabs.slab_bytes() == 0);
  return most;
}

}  // namespace

TEST_CASE(
    "threads that empty their heap again and again put objects aside for each other, unless thresholds are "
    "fixed") {
  heap.tunables.dynamic.set(0);
  CHECK(empty_again_and_again() == 0);
  heap.tunables.dynamic.set(1);
  CHECK(empty_again_and_again() > std::size_t{1} << 20);
}

TEST_CASE("a chain that a list may not hold is returned whole") {
  const std::uint64_t budget = heap.tunables.thread_cache;
  heap.tunables.thread_cache.set(0);  // no list may hold anything
  const std::size_t index = class_of(8192);
  void* objects[4];
  REQUIRE(heap.fetch(0, index, objects, 4) == 4);
  Chain chain;
  for (void* object : objects) {
    static_cast<Object*>(object)->link(chain.head);
    chain = {static_cast<Object*>(object), chain.count + 1};
  }
  REQUIRE(heap.shelf.put(index, chain));
  void* const object = ThreadCache::mine().pop(index);
  REQUIRE(object != nullptr);
  CHECK(heap.shelf.bytes() == 0);
  put(index, object);
  brkmmap::thread.flush();
  for (const Slabs& slabs : heap.shards) CHECK(slabs.slab_bytes() == 0);
  heap.tunables.thread_cache.set(budget);
}

TEST_CASE("a thread that only frees keeps nothing in its lists, of no class") {
  heap.tunables.dynamic.set(0);  // nothing lies aside, whatever was done before
  for (std::size_t index = 0; index < kFirstBlockClass / 2; ++index) {
    void* object = ThreadCache::mine().pop(index);
    REQUIRE(object != nullptr);
    put(index, object);
  }
  CHECK(ThreadCache::mine().bytes() > 16 * 1024);  // one of each class
  const std::size_t index = class_of(64);
  std::vector<void*> objects(4000);  // asked for by another thread
  for (void*& object : objects) REQUIRE(heap.fetch(0, index, &object, 1) == 1);
  for (void* object : objects) put(index, object);
  ThreadCache::mine().flush_pending();
  CHECK(ThreadCache::mine().bytes() == 0);
  brkmmap::thread.flush();
  heap.tunables.dynamic.set(1);
}

TEST_CASE("no free of many gives more back than a few batches, and in the end nothing is left") {
  heap.tunables.dynamic.set(0);
  ThreadCache& cache = ThreadCache::mine();
  const std::size_t index = class_of(64);
  std::vector<void*> objects(8000);
  for (int round = 0; round < 20; ++round) {  // until the list may hold thousands
    for (void*& object : objects) REQUIRE((object = cache.pop(index)) != nullptr);
    for (void* object : objects) put(index, object);
  }
  std::size_t before = cache.bytes(), most = 0;
  CHECK(before > 1000 * 64);
  std::vector<void*> others(80'000);  // of another thread
  for (void*& object : others) REQUIRE(heap.fetch(0, index, &object, 1) == 1);
  for (void* object : others) {
    put(index, object);
    const std::size_t now = cache.bytes();
    most = std::max(most, before - std::min(before, now));
    before = now;
  }
  CHECK(most > 0);
  CHECK(most <= 128 * 64);
  cache.flush_pending();
  CHECK(cache.bytes() == 0);
  brkmmap::thread.flush();
  heap.tunables.dynamic.set(1);
}

TEST_CASE("a thread that has claimed the budget and idles leaves the others an equal part of it") {
  std::vector<std::pair<std::size_t, void*>> held;
  for (int round = 0; round < 400; ++round)
    for (std::size_t index = 0; index < kFirstBlockClass; ++index) {
      held.emplace_back(index, ThreadCache::mine().pop(index));
      REQUIRE(held.back().second != nullptr);
    }
  CHECK(heap.kernel.retained.promised_bytes.load() * 2 > ThreadCache::common_budget());
  std::size_t cached = 0;
  std::thread([&] {
    ThreadCache& cache = ThreadCache::mine();
    std::vector<void*> objects(400);
    for (int round = 0; round < 40; ++round) {
      for (void*& object : objects) object = cache.pop(class_of(512));
      for (void* object : objects) put(class_of(512), object);
    }
    cached = cache.bytes();
    brkmmap::thread.flush();
  }).join();
  CHECK(cached >= 400 * 512 / 2);
  for (const auto& [index, object] : held) put(index, object);
  brkmmap::thread.flush();
}

TEST_CASE("what a thread holds of a round that is over goes back before it fills the heap again") {
  constexpr std::size_t kPeak = std::size_t{1} << 30;
  const std::size_t small = class_of(64), large = class_of(5000);
  std::vector<void*> objects(64);
  for (void*& object : objects) REQUIRE((object = ThreadCache::mine().pop(small)) != nullptr);
  for (void* object : objects) put(small, object);
  ThreadCache::mine().flush_pending();
  const std::size_t held = ThreadCache::mine().bytes();
  CHECK(held > 0);

  Hysteresis& hysteresis = heap.hysteresis;
  const std::size_t share = heap.tunables.slack_share();
  const std::uint32_t emptied = hysteresis.times_emptied();
  const auto now = [] { return os::milliseconds(); };
  for (int round = 0; round < 3; ++round) {
    (void)hysteresis.slack(kPeak, share, now());
    (void)hysteresis.slack(0, share, now());
    hysteresis.gave_back(kPeak, now());
    hysteresis.took(kPeak, now());
  }
  REQUIRE(hysteresis.times_emptied() != emptied);
  CHECK(ThreadCache::mine().bytes() == held);
  void* const object = ThreadCache::mine().pop(large);  // a request that its lists cannot serve
  REQUIRE(object != nullptr);
  CHECK(ThreadCache::mine().bytes() < class_bytes(small) + 2 * class_bytes(large));
  void* const again = ThreadCache::mine().pop(small);
  put(small, again);
  put(large, object);
  CHECK(ThreadCache::mine().bytes() > 0);  // from now on it holds what it needs
  brkmmap::thread.flush();
  hysteresis.rest();
  fake::pass_time(100 * Hysteresis::kHalfLife);
  hysteresis.gave_back(1, now());  // the peak of above is forgotten
}

TEST_CASE("aligned requests among others do not spread the heap over many pages") {
  struct Block {
    void* memory = nullptr;
    std::size_t index = 0;
  };
  ThreadCache& cache = ThreadCache::mine();
  std::vector<Block> blocks(20'000);
  std::mt19937 random(5);
  std::size_t live = 0;
  constexpr std::size_t kLevel = std::size_t{4} << 20;
  for (int step = 0; step < 300'000; ++step) {
    Block& block = blocks[random() % blocks.size()];
    if (block.memory != nullptr) {
      live -= class_bytes(block.index);
      put(block.index, std::exchange(block.memory, nullptr));
    }
    if (live > kLevel) continue;
    block.index = class_of(std::size_t{16} << random() % 6);
    block.memory = random() % 4 != 0 ? cache.pop(block.index)
                                     : cache.pop_aligned(block.index, std::size_t{16} << random() % 7);
    REQUIRE(block.memory != nullptr);
    live += class_bytes(block.index);
  }
  std::size_t slab_bytes = 0;
  for (const Slabs& slabs : heap.shards) slab_bytes += slabs.slab_bytes();
  CAPTURE(live, cache.bytes());
  CHECK(slab_bytes < live * 4 + cache.bytes());
  for (Block& block : blocks)
    if (block.memory != nullptr) put(block.index, block.memory);
  brkmmap::thread.flush();
}

TEST_CASE("the size of a live object can be read without a lock while its neighbours come and go") {
  fake::reset();
  const auto map = std::make_unique<PageMap>();
  const auto own = std::make_unique<Heap>(*map);
  constexpr std::size_t kGranulesEach = 4;
  void* objects[8];
  REQUIRE(own->fetch(0, class_of(kGranulesEach * 16), objects, 8) == 8);
  std::atomic<bool> done{false};
  std::thread neighbours([&] {
    // All but the fourth are returned and fetched again, so that what lies beside it changes all the time.
    for (int round = 0; round < 200'000; ++round) {
      for (std::size_t at = 0; at < 8; ++at) {
        if (at == 3) continue;
        Object* object = static_cast<Object*>(objects[at]);
        object->link(nullptr);
        own->give_back(object);
      }
      for (std::size_t at = 0; at < 8; ++at)
        if (at != 3) (void)own->fetch(0, class_of(kGranulesEach * 16), &objects[at], 1);
    }
    done.store(true);
  });
  const auto address = reinterpret_cast<std::uintptr_t>(objects[3]);
  const Span& slab = *map->get(address).span();
  const std::size_t granule = (address - slab.start) / 16;
  std::size_t wrong = 0;
  while (!done.load(std::memory_order_relaxed)) wrong += slab::length(slab, granule) != kGranulesEach;
  neighbours.join();
  CHECK(wrong == 0);
}
