#include "harness/plan/session_sets.h"

#include <catch2/catch.hpp>

using namespace heapmark;
using Catch::Contains;
using plan::session_sets;

namespace {

constexpr std::uint64_t kMiB = 1024 * 1024;

std::vector<trial::TrialSpec> group(std::size_t count) {
  std::vector<trial::TrialSpec> specs(count);
  for (std::size_t at = 0; at < count; ++at) {
    specs[at].allocator = std::string(1, static_cast<char>('a' + at));
    specs[at].lockstep = true;
    specs[at].memory_estimate_bytes = 100 * kMiB;
  }
  return specs;
}

std::string names(const std::vector<trial::TrialSpec>& specs) {
  std::string all;
  for (const trial::TrialSpec& spec : specs) all += spec.allocator;
  return all;
}

}  // namespace

TEST_CASE("what fits into memory is one session that begins with the baseline") {
  const auto sets = session_sets(group(4), "c", 1000 * kMiB);
  REQUIRE(sets.sets.size() == 1);
  CHECK(names(sets.sets[0]) == "cabd");
  CHECK(sets.in_rounds.empty());
  CHECK(sets.why.empty());
}

TEST_CASE("what does not fit together is split into sets, each with the baseline") {
  // 60 % of 600 MiB are 360: three processes
  const auto sets = session_sets(group(6), "a", 600 * kMiB);
  REQUIRE(sets.sets.size() == 3);
  CHECK(names(sets.sets[0]) == "abc");
  CHECK(names(sets.sets[1]) == "ade");
  CHECK(names(sets.sets[2]) == "af");
  CHECK_THAT(sets.why, Contains("3 sets, each with a") && Contains("600 MiB") && Contains("360 MiB"));
}

TEST_CASE("where not even two fit, all are timed in rounds") {
  const auto sets = session_sets(group(3), "a", 300 * kMiB);
  CHECK(sets.sets.empty());
  CHECK(names(sets.in_rounds) == "abc");
  CHECK_THAT(sets.why, Contains("b, c: timed in rounds"));
}

TEST_CASE("one that is too large leaves the session, the others stay in it") {
  auto specs = group(3);
  specs[1].memory_estimate_bytes = 400 * kMiB;
  const auto sets = session_sets(specs, "a", 600 * kMiB);
  REQUIRE(sets.sets.size() == 1);
  CHECK(names(sets.sets[0]) == "ac");
  CHECK(names(sets.in_rounds) == "b");
}

TEST_CASE("an allocator that would notice the waiting is timed in rounds, and the output says so") {
  auto specs = group(3);
  specs[1].lockstep = false;
  const auto sets = session_sets(specs, "a", 1000 * kMiB);
  CHECK(names(sets.sets[0]) == "ac");
  CHECK(names(sets.in_rounds) == "b");
  CHECK_THAT(sets.why, Contains("b: timed in rounds"));
}

TEST_CASE("a session has at most ten processes") {
  const auto sets = session_sets(group(12), "a", 1'000'000 * kMiB);
  REQUIRE(sets.sets.size() == 2);
  CHECK(sets.sets[0].size() == plan::kMostInSession);
  CHECK(names(sets.sets[1]) == "akl");
  CHECK_THAT(sets.why, Contains("at most 10"));
}

TEST_CASE("a baseline that is not among the trials leaves the first in its place") {
  CHECK(names(session_sets(group(2), "x", 1000 * kMiB).sets.at(0)) == "ab");
  CHECK(names(session_sets(group(1), "a", 1).sets.at(0)) == "a");
}
