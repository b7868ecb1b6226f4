// The pressure pass as a whole, on real processes: what a limit does, that swap makes faults major, the
// smallest limit, and what is said where something is missing. What needs root and a memory cgroup looks for
// them first, and says so. No test here compares times.
#include "harness/trial/pressure.h"

#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>

#include "harness/machine/memory_pressure.h"
#include "harness/trial/process_executor.h"

using namespace heapmark;
using namespace heapmark::trial;
using Catch::Contains;

namespace {

const std::string kBuild = std::getenv("HEAPMARK_BUILD_DIR");
constexpr std::uint64_t kMiB = 1 << 20;

bool has_cgroup() {
  const std::string why = machine::why_no_memory_cgroup();
  if (!why.empty()) WARN("not tested, no memory cgroup can be made here: " << why);
  return why.empty();
}

TrialSpec churn() {
  TrialSpec spec;
  spec.preload = spec.library = kBuild + "/libbrkmmap.so";
  spec.workload = "churn";
  spec.parameters = {{"live", "8M"}, {"operations", "60000"}};
  spec.pass = "pressure";
  return spec;
}

TrialSpec at(TrialSpec spec, double share, double peak) {
  spec.limit_share = share;
  spec.limit_bytes = static_cast<std::uint64_t>(peak * share) / 4096 * 4096;
  return spec;
}

struct Bench : ProcessExecutor {
  explicit Bench(SwapKind kind) : ProcessExecutor(kBuild + "/heapmark-host") {
    choose_swap({.kind = kind, .bytes = 128 * kMiB});
  }
};

// A swap of its own can be made here, of the kind that is quickest.
SwapKind kind_that_works() {
  for (const SwapKind kind : {SwapKind::kZram, SwapKind::kFile}) try {
      if (machine::has_swap()) break;
      const SwapSpace space({.kind = kind, .bytes = 128 * kMiB});
      return kind;
    } catch (const SwapRefused& refused) {
      WARN(swap_kind_name(kind) << ": " << refused.what());
    }
  return SwapKind::kNone;
}

}  // namespace

TEST_CASE("without a limit nothing is swapped out, and the peak is told") {
  if (!has_cgroup()) return;
  Bench executor(SwapKind::kNone);
  const TrialResult result = executor.run(churn());
  CAPTURE(result.message);
  REQUIRE(result.outcome == trial::Outcome::kOk);
  CHECK(result.metrics.at("cgroup_peak_bytes") > 8 * kMiB);
  CHECK(result.metrics.at("ns_per_op") > 0);
  CHECK(result.metrics.at("major_faults") == 0);
  CHECK(result.metrics.count("limit_bytes") == 0);
  CHECK(result.max_rss_bytes > 8 * kMiB);
  CHECK(result.pressure->swap == "none");
  if (machine::read_stalls("/proc/pressure/memory")) CHECK(result.metrics.at("memory_stall_share") >= 0);
}

TEST_CASE(
    "without swap the smallest limit lies between the live bytes and the peak, and half of it is too "
    "little") {
  if (!has_cgroup()) return;
  Bench executor(SwapKind::kNone);
  TrialSpec spec = churn();
  spec.finds_smallest_limit = true;
  const TrialResult result = executor.run(spec);
  CAPTURE(result.message);
  REQUIRE(result.outcome == trial::Outcome::kOk);
  const double least = result.metrics.at("smallest_limit_no_swap_bytes");
  CHECK(least > 8 * kMiB);
  CHECK(least < 1.2 * result.metrics.at("cgroup_peak_bytes"));
  CHECK(std::isnan(result.metrics.at("smallest_limit_bytes")));
  CHECK(result.tables.at("limit_tries").rows.size() >= 5);
  const TrialResult killed = executor.run(at(churn(), 0.5, least));
  CHECK(killed.outcome == trial::Outcome::kCgroupLimit);
  CHECK_THAT(killed.message, Contains("limit of its memory cgroup"));
  CHECK(killed.metrics.at("limit_bytes") > 0);
}

TEST_CASE("with swap the same limit is survived, by major faults") {
  if (!has_cgroup()) return;
  const SwapKind kind = kind_that_works();
  if (kind == SwapKind::kNone) return;
  Bench executor(kind);
  const TrialResult unlimited = executor.run(churn());
  CAPTURE(unlimited.message);
  REQUIRE(unlimited.outcome == trial::Outcome::kOk);
  CHECK(unlimited.metrics.at("major_faults") == 0);
  const TrialResult limited = executor.run(at(churn(), 0.8, unlimited.metrics.at("cgroup_peak_bytes")));
  CAPTURE(limited.message);
  REQUIRE(limited.outcome == trial::Outcome::kOk);
  CHECK(limited.metrics.at("major_faults") > 0);
  CHECK(limited.metrics.at("swapped_out_bytes") > 0);
  CHECK(limited.operations == unlimited.operations);
}

TEST_CASE("a heap that was paged out costs major faults, and pages that can be counted without swap") {
  if (!has_cgroup()) return;
  TrialSpec spec = churn();
  spec.workload = "idle_pages";
  spec.parameters = {{"live", "4M"}};
  Bench without(SwapKind::kNone);
  const TrialResult dry = without.run(spec);
  CAPTURE(dry.message);
  REQUIRE(dry.outcome == trial::Outcome::kOk);
  CHECK(dry.metrics.at("hot_pages_per_mib") >= 256);
  if (!machine::has_swap()) CHECK(std::isnan(dry.metrics.at("major_faults_per_hot_mib")));
  const SwapKind kind = kind_that_works();
  if (kind == SwapKind::kNone) return;
  Bench executor(kind);
  const TrialResult paged = executor.run(spec);
  CAPTURE(paged.message, paged.metrics.at("left_resident_share"));
  REQUIRE(paged.outcome == trial::Outcome::kOk);
  CHECK(paged.metrics.at("hot_pages_per_mib") == dry.metrics.at("hot_pages_per_mib"));
  CHECK(paged.metrics.at("left_resident_share") < 0.5);
  CHECK(paged.metrics.at("major_faults_per_hot_mib") > 0);
}

TEST_CASE("what is missing is told by each trial, as a refusal, and other passes go on") {
  Bench executor(SwapKind::kNone);
  if (has_cgroup()) {
    TrialSpec unknown = churn();
    unknown.limit_share = 0.5;
    CHECK(executor.run(unknown).outcome == trial::Outcome::kRefused);
    CHECK_THAT(executor.run(unknown).message, Contains("peak of the baseline"));
    TrialSpec huge = churn();
    huge.memory_estimate_bytes = std::uint64_t{1} << 50;
    CHECK(executor.run(huge).outcome == trial::Outcome::kRefused);
    CHECK_THAT(executor.run(huge).message, Contains("machine is too small") && Contains("--quick"));
    if (!machine::has_swap()) {
      Bench with_present(SwapKind::kPresent);
      CHECK_THAT(with_present.run(churn()).message, Contains("no swap") && Contains("--swap file"));
    }
  }
  if (::geteuid() == 0) {
    const pid_t user = ::fork();
    if (user == 0) {
      if (::setuid(65534) != 0) ::_exit(2);
      Pressure pressure({.kind = SwapKind::kNone});
      const TrialResult refused = pressure.run(churn(), [](const auto&, auto&) { return TrialResult{}; });
      const bool told =
          refused.outcome == trial::Outcome::kRefused && refused.message.find("root") != std::string::npos;
      ::_exit(told ? 0 : 1);
    }
    int status = 0;
    ::waitpid(user, &status, 0);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
  } else {
    CHECK_THAT(executor.run(churn()).message, Contains("root"));
  }
  TrialSpec speed = churn();
  speed.pass = "speed";
  CHECK(executor.run(speed).outcome == trial::Outcome::kOk);
}
