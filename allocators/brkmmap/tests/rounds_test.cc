// Programs that fill their heap and empty it again, in rounds: whole huge pages go back and come again, what
// lives stays as it was written, and no more stays of what is freed than without. Over the fake kernel, which
// also refuses huge pages, and ends the program where one is asked for that is no whole and unwritten place.
#include <algorithm>
#include <catch2/catch.hpp>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "allocators/brkmmap/heap.h"
#include "allocators/brkmmap/tests/fake_os.h"

namespace brkmmap {
constinit std::uintptr_t secret = 0x5ec4e7;
}

using namespace brkmmap;

namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;
constexpr std::size_t kObject = 4096;
constexpr std::size_t kFull = 24 * kMiB;
constexpr std::size_t kMayStay = 8 * kMiB;

class Program {
 public:
  Program() { fake::reset(); }

  // Objects until so many bytes live. False where one was refused.
  bool fill_to(std::size_t bytes) {
    while (objects_.size() * kObject < bytes) {
      void* object = nullptr;
      if (heap_->fetch(0, class_of(kObject), &object, 1) == 0) return false;
      auto* words = static_cast<std::uintptr_t*>(object);
      std::fill_n(words, kObject / sizeof *words, reinterpret_cast<std::uintptr_t>(object));
      objects_.push_back(object);
    }
    return true;
  }
  // In random order.
  void empty_to(std::size_t bytes) {
    std::shuffle(objects_.begin(), objects_.end(), random_);
    for (; objects_.size() * kObject > bytes; objects_.pop_back()) {
      is_whole_ = is_whole_ && is_as_written(objects_.back());
      auto* object = static_cast<Object*>(objects_.back());
      object->link(nullptr);
      heap_->give_back(object);
    }
  }
  // What lives now is in no round.
  void keep() { kept_ = std::exchange(objects_, {}); }
  void free_kept() {
    objects_ = std::exchange(kept_, {});
    empty_to(0);
  }
  // Bytes in huge pages that were faulted in meanwhile.
  std::size_t play_round(std::size_t low_bytes = 0) {
    const std::size_t before = fake::huge_bytes();
    fill_to(kFull);
    empty_to(low_bytes);
    return fake::huge_bytes() - before;
  }
  [[nodiscard]] std::size_t resident_bytes() const {
    return fake::resident_bytes() -
           std::min<std::size_t>(fake::resident_bytes(), heap_->kernel.metadata_bytes);
  }
  [[nodiscard]] Heap& heap() { return *heap_; }
  // What was freed was as it had been written.
  [[nodiscard]] bool is_whole() const { return is_whole_; }
  [[nodiscard]] bool is_balanced() const {
    std::size_t slab_bytes = 0;
    for (const Slabs& slabs : heap_->shards) slab_bytes += slabs.slab_bytes();
    return slab_bytes + heap_->pages.free_bytes() + heap_->kernel.metadata_bytes ==
               heap_->kernel.mapped_bytes &&
           heap_->kernel.mapped_bytes == fake::held_bytes();
  }

 private:
  static bool is_as_written(void* object) {
    const auto* words = static_cast<const std::uintptr_t*>(object);
    return std::all_of(words, words + kObject / sizeof *words,
                       [&](std::uintptr_t word) { return word == reinterpret_cast<std::uintptr_t>(object); });
  }

  std::unique_ptr<PageMap> map_ = std::make_unique<PageMap>();
  std::unique_ptr<Heap> heap_ = std::make_unique<Heap>(*map_);
  std::mt19937_64 random_{5};
  std::vector<void*> objects_, kept_;
  bool is_whole_ = true;
};

}  // namespace

TEST_CASE("a heap that is filled in rounds takes huge pages from the third round on") {
  Program program;
  CHECK(program.play_round() == 0);
  CHECK(program.play_round() == 0);
  for (int round = 3; round <= 8; ++round) {
    CAPTURE(round);
    CHECK(program.play_round() >= kFull / 2);
    CHECK(program.is_balanced());
  }
  CHECK(program.is_whole());
}

TEST_CASE("huge pages add at most two of them to a full heap, and nothing to what stays of an empty one") {
  Program program;
  for (int round = 1; round <= 8; ++round) {
    CAPTURE(round);
    REQUIRE(program.fill_to(kFull));
    CHECK(program.resident_bytes() <= kFull + kMayStay + 2 * kHugePage);
    program.empty_to(0);
    CHECK(program.resident_bytes() <= kMayStay);
  }
  fake::pass_time(1100);
  program.fill_to(kObject);
  program.empty_to(0);
  program.heap().rest_if_due();
  fake::pass_time(1100);
  program.heap().rest_if_due();
  CHECK(program.resident_bytes() <= 2 * kMiB);
}

TEST_CASE("what lives through all rounds stays as it was, and little else does") {
  Program program;
  program.fill_to(kMiB);
  program.keep();
  for (int round = 1; round <= 8; ++round) {
    CAPTURE(round);
    program.play_round();
    CHECK(program.resident_bytes() <= kMiB + kMayStay);
  }
  CHECK(fake::huge_bytes() > 0);
  program.free_kept();
  CHECK(program.is_whole());
  CHECK(program.is_balanced());
}

TEST_CASE("a heap that only breathes asks for no huge page") {
  Program program;
  for (int round = 1; round <= 8; ++round) program.play_round(kFull * 3 / 5);
  CHECK(fake::huge_bytes() == 0);
}

TEST_CASE("without huge pages in the machine all is as if they were not wanted") {
  const auto calls_of_rounds = [](auto prepare) {
    Program program;
    prepare(program);
    for (int round = 1; round <= 6; ++round) program.play_round();
    CHECK(fake::huge_bytes() == 0);
    return fake::calls();
  };
  const std::size_t unwanted = calls_of_rounds([](Program& of) { of.heap().tunables.huge_pages.set(0); });
  CHECK(calls_of_rounds([](Program&) { fake::have_no_huge_pages(); }) == unwanted);
}

TEST_CASE("a huge page that is refused costs one attempt a round, and nothing of what was promised") {
  constexpr int kRounds = 8;
  for (const std::size_t from : {1, 2, 5, 9}) {
    CAPTURE(from);
    Program program;
    fake::refuse({.calls = fake::kHuge, .from = from});
    for (int round = 1; round <= kRounds; ++round) {
      program.play_round();
      CHECK(program.resident_bytes() <= kMayStay);
    }
    CHECK(fake::refusals() > 0);
    CHECK(fake::refusals() <= kRounds);
    CHECK(program.is_whole());
    fake::refuse({});
    std::size_t huge_bytes = 0;
    for (int round = 1; round <= 3; ++round) huge_bytes = program.play_round();
    CHECK(huge_bytes >= kFull / 2);
  }
}

TEST_CASE("rounds are lived through whatever else is refused") {
  for (const unsigned call :
       {fake::kUnmap, fake::kMapAt, fake::kPurge, fake::kLower, fake::kRaise, fake::kAny}) {
    for (const unsigned permille : {200, 1000}) {
      CAPTURE(call, permille);
      Program program;
      for (int round = 1; round <= 3; ++round) program.play_round();
      fake::refuse({.calls = call, .permille = permille});
      for (int round = 1; round <= 3; ++round) program.play_round();
      fake::refuse({});
      for (int round = 1; round <= 4; ++round) program.play_round();
      CHECK(program.is_whole());
      CHECK(program.is_balanced());
      CHECK(program.resident_bytes() <= kMayStay);
    }
  }
}
