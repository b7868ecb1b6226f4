// See pressure.h.
#include "harness/trial/pressure.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "harness/machine/machine.h"
#include "harness/trial/smallest_limit.h"

namespace heapmark::trial {
namespace {

constexpr double kNotMeasured = std::numeric_limits<double>::quiet_NaN();
constexpr std::uint64_t kMiB = 1024 * 1024;
// Some memory beyond the peak is taken at once for files, so that the peak itself may not suffice.
constexpr double kEnoughOverPeak = 1.1;

TrialResult refused(const std::string& why) {
  TrialResult result;
  result.started = now_utc();
  result.outcome = Outcome::kRefused;
  result.message = why;
  return result;
}

// The counters of the cgroup where it has them, else of the machine: read before and after.
struct Counters {
  std::optional<machine::Stalls> machine_stalls = machine::read_stalls("/proc/pressure/memory");
  std::optional<std::uint64_t> machine_swapped = machine::swapped_out_bytes();
};

double stall_share(std::uint64_t before_us, std::uint64_t after_us, double wall_seconds) {
  return std::min(1.0, static_cast<double>(after_us - before_us) / 1e6 / wall_seconds);
}

void add_figures(const MemoryCgroup& cgroup, const Counters& before, TrialResult& result) {
  const Counters after;
  auto& metrics = result.metrics;
  metrics["memory_stall_share"] = metrics["memory_full_stall_share"] = kNotMeasured;
  metrics["swapped_out_bytes"] = kNotMeasured;
  PressureFacts& facts = result.pressure.value();
  std::optional<machine::Stalls> from, to = cgroup.stalls();
  if (to) {
    from = machine::Stalls{};  // a new cgroup has none
    facts.stalls_of = "cgroup";
  } else if (after.machine_stalls && before.machine_stalls) {
    from = before.machine_stalls;
    to = after.machine_stalls;
    facts.stalls_of = "machine";
  }
  if (to && result.wall_seconds > 0) {
    metrics["memory_stall_share"] = stall_share(from->some_us, to->some_us, result.wall_seconds);
    metrics["memory_full_stall_share"] = stall_share(from->full_us, to->full_us, result.wall_seconds);
  }
  if (const auto swapped = cgroup.swapped_out_bytes()) {
    metrics["swapped_out_bytes"] = static_cast<double>(*swapped);
    facts.swapped_of = "cgroup";
  } else if (after.machine_swapped && before.machine_swapped) {
    metrics["swapped_out_bytes"] = static_cast<double>(*after.machine_swapped - *before.machine_swapped);
    facts.swapped_of = "machine";
  }
}

std::chrono::seconds whole_seconds(double seconds) {
  return std::chrono::seconds(static_cast<std::int64_t>(std::ceil(seconds)));
}

}  // namespace

Pressure::Pressure(const SwapAsked& asked) {
  try {
    swap_.emplace(asked);
    place_.emplace();
  } catch (const SwapRefused& why) {
    missing_ = fmt::format("no swap: {}", why.what());
  } catch (const CgroupRefused& why) {
    missing_ = fmt::format("no memory cgroup: {}", why.what());
    swap_.reset();
  }
}

std::string Pressure::why_not(const TrialSpec& spec) const {
  if (!missing_.empty()) return missing_;
  const std::uint64_t available = machine::available_memory(), needed = spec.memory_estimate_bytes;
  if (available != 0 && needed > available)
    return fmt::format(
        "this machine is too small: {} MiB of memory are available, this work may take {} without a "
        "limit: end other programs, or use --quick or --set live=...",
        available / kMiB, needed / kMiB);
  if (spec.limit_share > 0 && spec.limit_bytes == 0)
    return "the peak of the baseline without a limit is not known: its trial failed, see there";
  return "";
}

TrialResult Pressure::run(const TrialSpec& spec, const RunIn& run_in) {
  if (const std::string why = why_not(spec); !why.empty()) return refused(why);
  try {
    TrialResult result = run_once(spec, spec.limit_bytes, swap_->any(), run_in);
    if (spec.finds_smallest_limit && result.outcome == Outcome::kOk) find_smallest(spec, run_in, result);
    return result;
  } catch (const CgroupRefused& why) {
    return refused(why.what());
  }
}

TrialResult Pressure::run_once(const TrialSpec& spec, std::uint64_t limit_bytes, bool with_swap,
                               const RunIn& run_in) const {
  MemoryCgroup cgroup(*place_, limit_bytes, with_swap);
  const Counters before;
  TrialResult result = run_in(spec, cgroup);
  result.pressure.emplace();
  result.pressure->cgroup = place_->version() == machine::CgroupVersion::kV1 ? "v1" : "v2";
  result.pressure->swap = swap_kind_name(swap_->kind());
  result.pressure->why_no_swap = swap_->why_none();
  add_figures(cgroup, before, result);
  if (limit_bytes != 0) {
    result.metrics["limit_bytes"] = static_cast<double>(limit_bytes);
    result.metrics["oom_reliefs"] = cgroup.reliefs();
    return result;
  }
  // Where the kernel does not tell, what the process held: without page tables, and too much by what the tool
  // held when it was started.
  const std::uint64_t peak = cgroup.peak_bytes().value_or(result.max_rss_bytes);
  if (peak > 0) result.metrics["cgroup_peak_bytes"] = static_cast<double>(peak);
  return result;
}

void Pressure::find_smallest(const TrialSpec& spec, const RunIn& run_in, TrialResult& unlimited) const {
  const double peak = unlimited.metrics.at("cgroup_peak_bytes");
  TrialSpec hurried = spec;
  hurried.timeout = std::min(spec.timeout, whole_seconds(unlimited.wall_seconds * kSlowdownOfCompletion + 1));
  Table& tries = unlimited.tables["limit_tries"];
  tries.columns = {"limit_bytes", "with_swap", "completes", "wall_seconds"};
  const auto search = [&](std::uint64_t enough, bool with_swap) {
    return smallest_limit(0, enough, [&](std::uint64_t limit) {
      const TrialResult one = run_once(hurried, limit, with_swap, run_in);
      if (one.outcome == Outcome::kInterrupted) {
        unlimited.outcome = Outcome::kInterrupted;
        return TryEnd::kStop;
      }
      const bool completes = one.outcome == Outcome::kOk;
      tries.rows.push_back(
          {static_cast<double>(limit), with_swap ? 1.0 : 0.0, completes ? 1.0 : 0.0, one.wall_seconds});
      unlimited.wall_seconds += one.wall_seconds;
      return completes ? TryEnd::kCompletes : TryEnd::kFails;
    });
  };
  const auto without = search(static_cast<std::uint64_t>(peak * kEnoughOverPeak), false);
  unlimited.metrics["smallest_limit_no_swap_bytes"] = without ? static_cast<double>(*without) : kNotMeasured;
  unlimited.metrics["smallest_limit_bytes"] = kNotMeasured;
  if (!without || !swap_->any() || unlimited.outcome == Outcome::kInterrupted) return;
  if (const auto with = search(*without, true))
    unlimited.metrics["smallest_limit_bytes"] = static_cast<double>(*with);
}

}  // namespace heapmark::trial
