// The heap over a kernel that refuses: every call, always, from the n-th on, in bursts, at random, for some
// addresses. Whatever is refused, every operation ends after a bounded number of calls, contents stay, the
// equation holds, and once the kernel has recovered, freed memory is given back again.
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "allocators/brkmmap/tests/trial_heap.h"

using namespace brkmmap;

namespace {

// A free may sweep: some purges of dirty ranges, those of slabs, pieces of mappings that are shed. What is
// refused ends it; there may be that many of all kinds in one, and on average few.
constexpr std::size_t kMostCallsOfAFree = 400;
constexpr std::size_t kMostCallsAFree = 4;
constexpr std::size_t kEndless = 2'000'000;  // calls of a whole run: what makes more does not end

struct Refusal {
  const char* name;
  unsigned calls;
};
const Refusal kRefusals[] = {
    {"madvise", fake::kPurge},
    {"munmap", fake::kUnmap},
    {"lowering the break", fake::kLower},
    {"raising the break", fake::kRaise},
    {"mmap", fake::kMap},
    {"mmap into a hole", fake::kMapAt},
    {"mremap that moves", fake::kRemap},
    {"mremap in place", fake::kExtend},
    {"mremap over pages", fake::kMove},
    {"huge pages", fake::kHuge},
    {"all that gives back", fake::kGiving},
    {"all that takes", fake::kTaking},
    {"everything", fake::kAny},
};

void require(Wrong wrong) {
  CAPTURE(wrong == nullptr ? "" : wrong);
  REQUIRE(wrong == nullptr);
}

void work(TrialHeap& trial, int steps) {
  for (int step = 0; step < steps; ++step) {
    require(trial.step());
    if (step % 64 == 0) require(trial.check_balance());
  }
}

// Before, while and after the kernel refuses by the plan.
void live_through(const fake::Plan& plan, bool growth, std::uint64_t seed) {
  TrialHeap trial(seed);
  if (growth) fake::allow_growth();
  fake::limit_calls(kEndless);
  work(trial, 1500);
  trial.forget_calls();
  fake::refuse(plan);
  work(trial, 3000);
  require(trial.free_all());
  CAPTURE(trial.frees(), trial.calls_of_frees(), trial.most_calls_of_a_free(), fake::refusals());
  CHECK_FALSE(fake::limit_was_passed());
  CHECK(trial.most_calls_of_a_free() <= kMostCallsOfAFree);
  CHECK(trial.calls_of_frees() <= trial.frees() * kMostCallsAFree);
  fake::refuse({});
  work(trial, 1500);
  require(trial.free_all());
  require(trial.check_given_back());
}

void each_refusal(const fake::Plan& shape) {
  for (const Refusal& refusal : kRefusals)
    for (const bool growth : {false, true}) {
      fake::Plan plan = shape;
      plan.calls = refusal.calls;
      INFO("refused: " << refusal.name << ", growth in place: " << growth);
      live_through(plan, growth, refusal.calls * 2 + growth);
    }
}

}  // namespace

TEST_CASE("a kernel that refuses nothing is given back what was freed") {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) live_through({}, seed % 2 == 0, seed);
}

TEST_CASE("each kernel call may be refused always") {
  each_refusal({});
}

TEST_CASE("each kernel call may be refused from the hundredth on") {
  each_refusal({.from = 100});
}

TEST_CASE("each kernel call may be refused in bursts") {
  each_refusal({.period = 50, .burst = 10});
  each_refusal({.period = 7, .burst = 3});
}

TEST_CASE("each kernel call may be refused at random") {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) each_refusal({.permille = 300, .seed = seed});
}

TEST_CASE("each kernel call may be refused for some addresses") {
  fake::reset();
  const std::uintptr_t heap_begins = fake::mappings() - (std::size_t{256} << 20);
  each_refusal({.low = heap_begins, .high = heap_begins + (std::size_t{12} << 20)});
  each_refusal({.low = fake::next_mapping_end() - (std::size_t{32} << 20)});
}

// mlockall(2) makes every madvise(MADV_DONTNEED) fail with EINVAL.
TEST_CASE("frees make few calls where pages are locked, and none of them for ever") {
  constexpr std::size_t kBlocks = 20'000, kBytes = 3000, kStay = 40;
  fake::reset();
  auto map = std::make_unique<PageMap>();
  auto heap = std::make_unique<Heap>(*map);
  fake::refuse({.calls = fake::kPurge});
  fake::limit_calls(kEndless);
  std::vector<void*> objects(kBlocks);
  const auto give_back = [&](void* object) {
    static_cast<Object*>(object)->link(nullptr);
    heap->give_back(static_cast<Object*>(object));
  };
  for (int round = 0; round < 3; ++round) {
    for (void*& object : objects) REQUIRE(heap->fetch(0, class_of(kBytes), &object, 1) == 1);
    const std::size_t before = fake::calls();
    for (std::size_t at = 0; at < kBlocks; ++at)
      if (at % kStay != 0) give_back(objects[at]);
    for (std::size_t at = 0; at < kBlocks; at += kStay) give_back(objects[at]);
    CHECK(fake::calls() - before <= kBlocks);
  }
  CHECK_FALSE(fake::limit_was_passed());
}

// A description's page that cannot be purged must not be tried again with every description that goes.
TEST_CASE("descriptions are given back with few calls where the kernel refuses their pages") {
  for (const unsigned calls : {unsigned{fake::kPurge}, unsigned{fake::kUnmap}, unsigned{fake::kGiving}}) {
    fake::reset();
    Kernel kernel;
    Metadata metadata(kernel);
    std::vector<Span*> spans(20'000);
    for (Span*& span : spans) REQUIRE((span = metadata.new_span()) != nullptr);
    fake::refuse({.calls = calls});
    fake::limit_calls(kEndless);
    const std::size_t before = fake::calls();
    for (Span* span : spans) metadata.delete_span(span);
    CAPTURE(calls);
    CHECK(fake::calls() - before <= spans.size() / 4);
    CHECK_FALSE(fake::limit_was_passed());
  }
}

TEST_CASE("a hopeless request leaves no addresses and no tables behind") {
  fake::reset();
  auto map = std::make_unique<PageMap>();
  auto heap = std::make_unique<Heap>(*map);
  std::size_t dirty_bytes = 0;
  void* first = heap->allocate_block(40, kUnit, &dirty_bytes);
  REQUIRE(first != nullptr);
  for (const std::size_t gibibytes : {20, 32, 400, 16'384}) {
    CAPTURE(gibibytes);
    const std::size_t mapped = heap->kernel.mapped_bytes, units = (gibibytes << 30) >> kUnitShift;
    CHECK(heap->allocate_block(units, kUnit, &dirty_bytes) == nullptr);
    CHECK(heap->kernel.mapped_bytes <= mapped);
    CHECK(heap->mappings.allocate(units / kUnitsAPage, kPageSize, &dirty_bytes) == nullptr);
    CHECK(heap->kernel.mapped_bytes <= mapped);
    CHECK(fake::held_bytes() == heap->kernel.mapped_bytes);
  }
}
