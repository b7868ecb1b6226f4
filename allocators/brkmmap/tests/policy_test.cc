// The deciding parts, all pure: size classes against a naive computation, tunables, and the policy by hand.
#include "allocators/brkmmap/policy.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstring>

#include "allocators/brkmmap/size_classes.h"

using namespace brkmmap;

namespace {

// What a heap full of objects of a class costs for each of them, the description of the slab included.
double cost_of_object(std::size_t index) {
  const std::size_t slab = slab_pages(kind_of_class(index)) * kPageSize;
  const std::size_t objects = slab / class_bytes(index);
  return static_cast<double>(slab + sizeof(Span)) / static_cast<double>(objects);
}

}  // namespace

TEST_CASE("every request gets a class that holds it, and loses at most a twelfth and a granule") {
  for (std::size_t bytes = 1; bytes <= kMaxCached; ++bytes) {
    const std::size_t index = class_of(bytes);
    if (index >= kClasses || class_bytes(index) < bytes) FAIL(bytes);
    if ((class_bytes(index) - bytes) * 12 > std::max<std::size_t>(bytes, 15 * 12)) FAIL(bytes);
  }
  CHECK(class_of(0) == 0);
}

TEST_CASE("the class of an object is found from its slab, and its own size asks for no larger one") {
  for (std::size_t index = 0; index < kFirstBlockClass; ++index) {
    const std::size_t kind = kind_of_class(index), granules = granules_of_class(index);
    CHECK(class_in_slab(kind, granules) == index);
    CHECK(class_bytes(index) == granules << granule_shift(kind));
    CHECK(class_bytes(class_of(class_bytes(index))) == class_bytes(index));
  }
  for (std::size_t index = kFirstBlockClass; index < kClasses; ++index)
    CHECK(class_of(class_bytes(index)) == index);
}

TEST_CASE("sizes share slabs of one page wherever a page full of them is cheap") {
  std::size_t elsewhere = 0;
  for (std::size_t bytes = kAlignment; bytes <= kMaxTiny; bytes += kAlignment) {
    const std::size_t index = class_of(bytes);
    if (kind_of_class(index) == 0) continue;
    ++elsewhere;
    const std::size_t objects = kPageSize / bytes;
    const double in_page = static_cast<double>(kPageSize + sizeof(Span)) / static_cast<double>(objects);
    INFO(bytes);
    CHECK(in_page > 1.12 * static_cast<double>(bytes));
    CHECK(cost_of_object(index) < in_page);
  }
  CHECK(elsewhere < kTinySteps / 3);
}

TEST_CASE("a heap of one size costs at most 1.13 times that size, rounded up to the alignment, tables too") {
  for (std::size_t bytes = 64; bytes <= kMaxCached; ++bytes) {
    const std::size_t index = class_of(bytes);
    double cost = index < kFirstBlockClass ? cost_of_object(index)
                                           : static_cast<double>(class_bytes(index) + sizeof(Span));
    cost *= 1 + static_cast<double>(sizeof(void*)) / kPageSize;  // the page map
    if (cost > 1.13 * static_cast<double>(round_up(bytes, kAlignment))) FAIL(bytes << ": " << cost);
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

TEST_CASE("a bad value in the environment is reported once and the default kept") {
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
  Tunables tunables;  // whatever the defaults are
  tunables.purge_threshold.set(262144);
  tunables.release_threshold.set(1048576);
  CHECK(decide({131072, 0, true, false}, 0, tunables, 0) == Action::kKeep);
  CHECK(decide({131073, 0, true, false}, 0, tunables, 0) == Action::kTrim);
  CHECK(decide({40960, 40960, false, false}, 0, tunables, 0) == Action::kKeep);
  CHECK(decide({262144, 262144, false, false}, 0, tunables, 0) == Action::kPurge);
  CHECK(decide({524288, 4096, false, false}, 0, tunables, 0) == Action::kKeep);
  CHECK(decide({262144, 4096, false, true}, 0, tunables, 0) == Action::kRelease);
  CHECK(decide({1048576, 4096, false, false}, 0, tunables, 0) == Action::kRelease);
  CHECK(decide({1048576, 4096, false, false}, 0, tunables, 4096) == Action::kKeep);
  CHECK(decide({135168, 0, true, false}, 0, tunables, 4096) == Action::kKeep);
  CHECK(decide({135169, 0, true, false}, 0, tunables, 4096) == Action::kTrim);
}

TEST_CASE(
    "what is asked for again soon after it was given back raises the slack, for a while and within bounds") {
  constexpr std::size_t kMiB = 1 << 20;
  Tunables tunables;
  Hysteresis hysteresis;
  hysteresis.took(5 * kMiB, 10);
  CHECK(hysteresis.slack(kMiB, tunables.slack_share(), 10) == 0);  // nothing had been given back
  hysteresis.gave_back(kMiB / 2, 20);
  CHECK(hysteresis.slack(kMiB, tunables.slack_share(), 20) == 0);  // nor counted as needed again
  hysteresis.took(kMiB / 4, 30);
  CHECK(hysteresis.slack(kMiB, tunables.slack_share(), 30) == kMiB / 4);
  CHECK(hysteresis.slack(kMiB, tunables.slack_share(), 30 + Hysteresis::kHalfLife) == kMiB / 8);
  CHECK(hysteresis.slack(kMiB, tunables.slack_share(), 30 + 40 * Hysteresis::kHalfLife) == 0);
  hysteresis.gave_back(300 * kMiB, 50'000);
  hysteresis.took(250 * kMiB, 50'000);
  CHECK(hysteresis.slack(100 * kMiB, tunables.slack_share(), 50'000) ==
        100 * kMiB / 100 * tunables.slack_percent);
  CHECK(hysteresis.slack(0, tunables.slack_share(), 50'000) == kLeastSlack);
  tunables.dynamic.set(0);
  CHECK(hysteresis.slack(100 * kMiB, tunables.slack_share(), 50'000) == 0);
}

TEST_CASE(
    "a program that frees and asks for all of its memory in rounds keeps the burst allowance after some") {
  constexpr std::size_t kMiB = 1 << 20;
  const Tunables tunables;
  Hysteresis hysteresis;
  std::size_t kept = 0;
  for (int round = 0; round < 12; ++round) {
    (void)hysteresis.slack(20 * kMiB, tunables.slack_share(), 100);  // full
    kept = hysteresis.slack(0, tunables.slack_share(), 100);         // empty
    if (round < 2) CHECK(kept <= kLeastSlack);
    hysteresis.gave_back(20 * kMiB - kept, 100);
    hysteresis.took(20 * kMiB - kept, 100);
  }
  CHECK(kept == 7 * kMiB);
  CHECK(hysteresis.slack(0, tunables.slack_share(), 100, 3 * kMiB) == 4 * kMiB);  // what others keep counts
  // What is of use in each period stays, until there is none.
  std::uint64_t now = 100;
  for (int period = 0; period < 5; ++period) {
    hysteresis.reused(9 * kMiB);
    (void)hysteresis.slack(20 * kMiB, tunables.slack_share(), now);
    CHECK(hysteresis.slack(0, tunables.slack_share(), now += Hysteresis::kHalfLife) == 7 * kMiB);
  }
  hysteresis.rest();
  CHECK(hysteresis.slack(0, tunables.slack_share(), now) == 0);
  CHECK(burst_allowance(600 * kMiB) == 50 * kMiB);
}

TEST_CASE("a program is in rounds from the second filling on, until it rests or huge pages are refused") {
  constexpr std::size_t kMiB = 1 << 20;
  const std::size_t share = Tunables().slack_share();
  Hysteresis hysteresis;
  const auto play_round = [&](std::size_t bytes) {
    (void)hysteresis.slack(bytes, share, 100);
    (void)hysteresis.slack(0, share, 100);
    hysteresis.gave_back(bytes, 100);
    hysteresis.took(bytes, 100);
    (void)hysteresis.slack(bytes, share, 100);
  };
  for (int round = 0; round < 5; ++round) play_round(7 * kMiB);
  CHECK_FALSE(hysteresis.in_rounds());  // all of that is kept
  CHECK(hysteresis.times_emptied() == 0);
  hysteresis.rest();
  (void)hysteresis.slack(64 * kMiB, share, 100);
  CHECK_FALSE(hysteresis.in_rounds());
  play_round(64 * kMiB);
  CHECK(hysteresis.in_rounds());
  CHECK(hysteresis.refills(4 * kMiB, 2 * kMiB));
  CHECK_FALSE(hysteresis.refills(4 * kMiB - 1, 2 * kMiB));  // little lives
  CHECK(hysteresis.refills(62 * kMiB, 2 * kMiB));
  CHECK_FALSE(hysteresis.refills(62 * kMiB + 1, 2 * kMiB));  // it had no more
  play_round(64 * kMiB);
  CHECK(hysteresis.times_emptied() == 1);  // the first time, nothing was known yet

  hysteresis.ignore_rounds(false);
  CHECK_FALSE(hysteresis.in_rounds());
  (void)hysteresis.slack(64 * kMiB, share, 100);
  CHECK_FALSE(hysteresis.in_rounds());
  play_round(64 * kMiB);
  CHECK(hysteresis.in_rounds());
  hysteresis.ignore_rounds(true);
  for (int round = 0; round < 3; ++round) play_round(64 * kMiB);
  CHECK_FALSE(hysteresis.in_rounds());
  CHECK(hysteresis.times_emptied() == 2);
}

TEST_CASE("the shelf may hold what a program that empties its heap keeps, and nothing else") {
  constexpr std::size_t kMiB = 1 << 20;
  Tunables tunables;
  CHECK(shelf_limit(20 * kMiB, 3 * kMiB, 0, tunables) == 0);
  CHECK(shelf_limit(20 * kMiB, 20 * kMiB, 0, tunables) == 20 * kMiB);
  CHECK(shelf_limit(20 * kMiB, 20 * kMiB, 5 * kMiB, tunables) == 15 * kMiB);
  tunables.dynamic.set(0);
  CHECK(shelf_limit(20 * kMiB, 20 * kMiB, 0, tunables) == 0);
}

TEST_CASE("what is small beside all that lives is not mapped alone, unless thresholds are fixed") {
  constexpr std::size_t kMiB = 1 << 20;
  Tunables tunables;
  tunables.mmap_percent.set(10);
  CHECK(mapped_from(0, 0, tunables) == 131072);
  CHECK(mapped_from(kMiB, 4096, tunables) == 131072 + 4096);
  CHECK(mapped_from(10 * kMiB, 4096, tunables) == 10 * kMiB / 100 * 10);
  CHECK(mapped_from(10 * kMiB, 3 * kMiB / 2, tunables) == 3 * kMiB / 2 + 131072);
  CHECK(mapped_from(100 * kMiB, 0, tunables) ==
        2 * kMiB);  // so large a mapping leaves no hole worth the name
  CHECK(mapped_from(100 * kMiB, 20 * kMiB, tunables) == 2 * kMiB);
  CHECK(mapped_from(10 * kMiB, 20 * kMiB, tunables) == 20 * kMiB + 131072);  // the heap is emptied in rounds
  tunables.mmap_threshold.set(8 * kMiB);
  CHECK(mapped_from(100 * kMiB, 0, tunables) == 8 * kMiB);
  tunables.mmap_threshold.set(131072);
  tunables.dynamic.set(0);
  CHECK(mapped_from(100 * kMiB, 0, tunables) == 131072);
}

TEST_CASE(
    "the caches of all threads share a budget that follows what lives, and each has a little of its own") {
  constexpr std::size_t kMiB = 1 << 20;
  CHECK(cache_budget(0, 0) == 2 * kMiB);
  CHECK(cache_budget(0, 1000) == 2 * kMiB + 1000 * kOwnCache);
  CHECK(cache_budget(160 * kMiB, 0) == 10 * kMiB);
  // Over the budget, each thread gives up half of what it was promised, down to an equal part; one that only
  // frees nearly all.
  CHECK(cache_limit(kMiB, 3 * kMiB, 4 * kMiB, 16, true) == kMiB);
  CHECK(cache_limit(kMiB, 5 * kMiB, 4 * kMiB, 16, true) == kMiB / 2);
  CHECK(cache_limit(kMiB, 5 * kMiB, 4 * kMiB, 5, true) == 4 * kMiB / 5);
  CHECK(cache_limit(kMiB, 3 * kMiB, 4 * kMiB, 16, false) == kMiB / 4);
}

TEST_CASE("the break moves in steps that follow what lives, unless thresholds are fixed") {
  constexpr std::size_t kMiB = 1 << 20;
  Tunables tunables;
  CHECK(top_pad(0, tunables) == tunables.top_pad);
  CHECK(top_pad(64 * kMiB, tunables) == kMiB);
  CHECK(top_pad(64 * 1024 * kMiB, tunables) == 32 * kMiB);
  CHECK(trim_above(0, tunables) == tunables.trim_threshold);
  CHECK(trim_above(64 * kMiB, tunables) == 2 * kMiB);
  CHECK(decide({2 * kMiB, 0, true, false}, 64 * kMiB, tunables, 0) == Action::kKeep);
  CHECK(decide({2 * kMiB + 1, 0, true, false}, 64 * kMiB, tunables, 0) == Action::kTrim);
  tunables.dynamic.set(0);
  CHECK(top_pad(64 * kMiB, tunables) == tunables.top_pad);
  CHECK(trim_above(64 * kMiB, tunables) == tunables.trim_threshold);
}
