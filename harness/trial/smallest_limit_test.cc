// The bisection, on made-up work whose need is known.
#include "harness/trial/smallest_limit.h"

#include <catch2/catch.hpp>
#include <vector>

using namespace heapmark::trial;

namespace {

constexpr std::uint64_t kMiB = 1 << 20;

struct Work {
  std::uint64_t need;
  std::vector<std::uint64_t> tried{};
  TryEnd operator()(std::uint64_t limit) {
    tried.push_back(limit);
    return limit >= need ? TryEnd::kCompletes : TryEnd::kFails;
  }
};

}  // namespace

TEST_CASE("the smallest limit is found to one percent, from above, in few tries") {
  for (const std::uint64_t need : {3 * kMiB, 37 * kMiB + 12345, 100 * kMiB}) {
    Work work{need};
    const auto found = smallest_limit(0, 100 * kMiB, std::ref(work));
    REQUIRE(found);
    CHECK(*found >= need);
    CHECK(static_cast<double>(*found) <= static_cast<double>(need) * (1 + kLimitResolution) + 4096);
    CHECK(*found % 4096 == 0);
    CHECK(work.tried.size() <= 14);
  }
}

TEST_CASE("what was taken for enough is doubled where it is not, and not for ever") {
  Work work{150 * kMiB};
  const auto found = smallest_limit(0, 100 * kMiB, std::ref(work));
  REQUIRE(found);
  CHECK(*found >= 150 * kMiB);
  CHECK(work.tried.at(1) == 200 * kMiB);
  Work never{std::uint64_t{1} << 60};
  CHECK_FALSE(smallest_limit(0, 100 * kMiB, std::ref(never)));
  CHECK(never.tried.size() == 1 + kMostDoublings);
}

TEST_CASE("a search that is told to stop has no result") {
  int tries = 0;
  const auto stops_later = [&](std::uint64_t) { return ++tries < 3 ? TryEnd::kCompletes : TryEnd::kStop; };
  CHECK_FALSE(smallest_limit(0, 100 * kMiB, stops_later));
  CHECK(tries == 3);
}

TEST_CASE("work whose need varies from try to try still ends, within the range of its needs") {
  int tries = 0;
  const auto varying = [&](std::uint64_t limit) {
    const std::uint64_t need = ++tries % 2 == 0 ? 50 * kMiB : 60 * kMiB;
    return limit >= need ? TryEnd::kCompletes : TryEnd::kFails;
  };
  const auto found = smallest_limit(0, 100 * kMiB, varying);
  REQUIRE(found);
  CHECK(*found >= 50 * kMiB);
  CHECK(*found <= 61 * kMiB);
  CHECK(tries < 30);
}
