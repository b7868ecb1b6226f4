#include "harness/stats/session.h"

#include <catch2/catch.hpp>
#include <cmath>

using namespace heapmark::stats;

namespace {

// Ran all the time.
Slice undisturbed(double ns) {
  return {.units = 10, .wall_ns = ns, .cpu_ns = ns, .queue_ns = 0, .voluntary_switches = 0};
}

}  // namespace

TEST_CASE("what another process took from a slice of one thread is no part of its time") {
  Slice preempted = undisturbed(100);
  preempted.wall_ns = 700;
  preempted.queue_ns = 500;  // the hypervisor took the other 100
  const ProcessTime time = time_of(std::vector{undisturbed(100), preempted}, 1);
  CHECK(time.slice_ns == std::vector<double>{100, 100});
  CHECK(time.wall_ns == 800);
  CHECK(time.foreign_share() == Approx(0.75));
}

TEST_CASE("where the thread slept, only its time in the run queue is another's") {
  Slice slept = undisturbed(100);
  slept.wall_ns = 400;
  slept.queue_ns = 50;
  slept.voluntary_switches = 2;
  CHECK(time_of(std::vector{slept}, 1).sum_ns == 350);
  slept.queue_ns = std::nullopt;
  CHECK(time_of(std::vector{slept}, 1).sum_ns == 400);
}

TEST_CASE("an expensive slice of the allocator's own doing counts in full, however rare") {
  std::vector<Slice> slices(99, undisturbed(100));
  slices.push_back(undisturbed(10'000));
  CHECK(time_of(slices, 1).sum_ns == 99 * 100 + 10'000);
  CHECK(time_of(slices, 4).sum_ns == 99 * 100 + 10'000);
}

TEST_CASE("of several threads a slice with far less CPU time than usual is limited, others are not") {
  std::vector<Slice> slices(
      4, {.units = 10, .wall_ns = 100, .cpu_ns = 200, .queue_ns = 90, .voluntary_switches = 3});
  slices.push_back({.units = 10, .wall_ns = 900, .cpu_ns = 200, .queue_ns = 90, .voluntary_switches = 3});
  slices.push_back({.units = 10, .wall_ns = 120, .cpu_ns = 200, .queue_ns = 90, .voluntary_switches = 3});
  const ProcessTime time = time_of(slices, 4);
  CHECK(time.slice_ns == std::vector<double>{100, 100, 100, 100, 125, 120});
  CHECK(time.wall_ns == 1420);
}

TEST_CASE("the ratios of slices are formed within a slice, whatever a slice takes") {
  const ProcessTime baseline = time_of(std::vector{undisturbed(100), undisturbed(1000), undisturbed(10)}, 1);
  const ProcessTime twice = time_of(std::vector{undisturbed(200), undisturbed(2000), undisturbed(20)}, 1);
  const auto ratios = slice_ratios(twice, baseline);
  REQUIRE(ratios);
  CHECK(ratios->median == Approx(2));
  CHECK(ratios->spread == Approx(0).margin(1e-12));
}

TEST_CASE("processes that did not make the same slices have no slice ratios") {
  const ProcessTime one = time_of(std::vector{undisturbed(100)}, 1);
  const ProcessTime two = time_of(std::vector{undisturbed(100), undisturbed(100)}, 1);
  CHECK_FALSE(slice_ratios(one, two));
  CHECK_FALSE(slice_ratios(time_of({}, 1), time_of({}, 1)));
  CHECK_FALSE(slice_ratios(one, time_of(std::vector{undisturbed(0)}, 1)));
}
