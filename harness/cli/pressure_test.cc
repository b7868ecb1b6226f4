// The limit that a trial of the pressure pass gets, worked by hand from made-up records.
#include "harness/cli/pressure.h"

#include <catch2/catch.hpp>

#include "harness/record/example_results.h"

using namespace heapmark;
using namespace heapmark::cli;
using record::Record;

namespace {

constexpr double kMiB = 1 << 20;

Record trial_at(const std::string& allocator, const std::string& variant, double share, double peak,
                double limit = 0) {
  Record made = record::example::record(allocator, "pressure", 0, {});
  made.spec.variant = variant;
  made.spec.limit_share = share;
  if (peak > 0) made.result.metrics["cgroup_peak_bytes"] = peak;
  if (limit > 0) made.result.metrics["limit_bytes"] = limit;
  return made;
}

const trial::TrialSpec kAtHalf = trial_at("quick", "small@0.5", 0.5, 0).spec;

}  // namespace

TEST_CASE("a limit is a share of the baseline's first peak on the same work, in whole pages") {
  const std::vector<Record> records{trial_at("quick", "small@unlimited", 0, 70 * kMiB),
                                    trial_at("glibc", "large@unlimited", 0, 900 * kMiB),
                                    trial_at("glibc", "small@unlimited", 0, 100 * kMiB + 5000),
                                    trial_at("glibc", "small@unlimited", 0, 300 * kMiB)};
  CHECK(limit_bytes_of(kAtHalf, "glibc", records) == 50 * (1 << 20) + 4096);
  CHECK(limit_bytes_of(kAtHalf, "quick", records) == 35 * (1 << 20));
  CHECK(limit_bytes_of(records[0].spec, "glibc", records) == 0);
}

TEST_CASE("a run that goes on keeps the limits it began with") {
  std::vector<Record> records{trial_at("glibc", "small@unlimited", 0, 100 * kMiB),
                              trial_at("quick", "small@0.8", 0.8, 0, 160 * kMiB)};
  CHECK(limit_bytes_of(kAtHalf, "glibc", records) == 100 * (1 << 20));  // half of 160 / 0.8
}

TEST_CASE("without a peak of the baseline there is no limit to set") {
  std::vector<Record> records{trial_at("quick", "small@unlimited", 0, 100 * kMiB),
                              trial_at("glibc", "small@unlimited", 0, 100 * kMiB)};
  records.back().result.outcome = trial::Outcome::kCrashed;
  CHECK(limit_bytes_of(kAtHalf, "glibc", records) == 0);
}

TEST_CASE("the swap holds the largest trial of the pass") {
  std::vector<trial::TrialSpec> plan{kAtHalf, kAtHalf};
  plan[0].memory_estimate_bytes = std::uint64_t{3} << 30;
  plan[1].pass = "speed";
  plan[1].memory_estimate_bytes = std::uint64_t{9} << 30;
  CHECK(swap_for(plan, "zram", "").bytes == std::uint64_t{3} << 30);
  CHECK(swap_for(plan, "zram", "").kind == trial::SwapKind::kZram);
  CHECK(swap_for({}, "", "/mnt").bytes == std::uint64_t{256} << 20);
  CHECK(swap_for({}, "", "/mnt").kind == trial::SwapKind::kAutomatic);
  CHECK(swap_for({}, "", "/mnt").folder == "/mnt");
}
