// See pressure.h.
#include "harness/cli/pressure.h"

#include <algorithm>
#include <cmath>

#include "harness/plan/pressure_limits.h"

namespace heapmark::cli {
namespace {

constexpr double kPageBytes = 4096;  // the kernel rounds a limit to whole pages
constexpr std::uint64_t kLeastSwapBytes = std::uint64_t{256} << 20;

bool same_work(const trial::TrialSpec& a, const trial::TrialSpec& b) {
  return a.pass == b.pass && a.workload == b.workload && a.parameters == b.parameters &&
         plan::variant_without_limit(a.variant) == plan::variant_without_limit(b.variant);
}

double metric_of(const record::Record& record, const char* name) {
  const auto found = record.result.metrics.find(name);
  return found == record.result.metrics.end() || std::isnan(found->second) ? 0 : found->second;
}

double peak_of_baseline(const trial::TrialSpec& spec, const std::string& baseline,
                        const std::vector<record::Record>& records) {
  double peak = 0;
  for (const record::Record& one : records) {
    if (!same_work(one.spec, spec)) continue;
    // A limit that was used already decides: a run that is resumed goes on with it.
    if (one.spec.limit_share > 0)
      if (const double limit = metric_of(one, "limit_bytes"); limit > 0) return limit / one.spec.limit_share;
    if (peak == 0 && one.spec.limit_share == 0 && one.spec.allocator == baseline &&
        one.result.outcome == trial::Outcome::kOk)
      peak = metric_of(one, "cgroup_peak_bytes");
  }
  return peak;
}

}  // namespace

std::uint64_t limit_bytes_of(const trial::TrialSpec& spec, const std::string& baseline,
                             const std::vector<record::Record>& records) {
  if (spec.limit_share == 0) return 0;
  const double peak = peak_of_baseline(spec, baseline, records);
  return static_cast<std::uint64_t>(std::round(spec.limit_share * peak / kPageBytes) * kPageBytes);
}

trial::SwapAsked swap_for(const std::vector<trial::TrialSpec>& plan, const std::string& kind,
                          const std::string& folder) {
  trial::SwapAsked asked;
  asked.kind = trial::swap_kind_from(kind);
  if (!folder.empty()) asked.folder = folder;
  asked.bytes = kLeastSwapBytes;
  for (const trial::TrialSpec& spec : plan)
    if (spec.pass == "pressure") asked.bytes = std::max(asked.bytes, spec.memory_estimate_bytes);
  return asked;
}

}  // namespace heapmark::cli
