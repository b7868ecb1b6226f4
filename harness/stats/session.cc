// See session.h.
#include "harness/stats/session.h"

#include <algorithm>
#include <boost/math/statistics/univariate_statistics.hpp>
#include <cmath>

namespace heapmark::stats {
namespace {

constexpr double kTolerated = 1.25;  // of the usual wall time per CPU time

double median_of(std::vector<double> values) {
  return boost::math::statistics::median(values);
}

double time_of_one_thread(const Slice& slice) {
  const double not_running = std::max(0.0, slice.wall_ns - slice.cpu_ns);
  const double foreign =
      slice.voluntary_switches == 0 ? not_running : std::min(not_running, slice.queue_ns.value_or(0));
  return slice.wall_ns - foreign;
}

// Wall time per CPU time of most slices; nothing where too little of it was measured.
std::optional<double> usual_wall_per_cpu(std::span<const Slice> slices) {
  std::vector<double> ratios;
  for (const Slice& slice : slices)
    if (slice.cpu_ns > 0) ratios.push_back(slice.wall_ns / slice.cpu_ns);
  if (ratios.empty()) return std::nullopt;
  return median_of(std::move(ratios));
}

}  // namespace

ProcessTime time_of(std::span<const Slice> slices, unsigned threads) {
  ProcessTime time;
  const std::optional<double> usual = usual_wall_per_cpu(slices);
  for (const Slice& slice : slices) {
    double slice_ns = slice.wall_ns;
    if (threads <= 1)
      slice_ns = time_of_one_thread(slice);
    else if (usual && slice.cpu_ns > 0)
      slice_ns = std::min(slice.wall_ns, kTolerated * *usual * slice.cpu_ns);
    time.slice_ns.push_back(slice_ns);
    time.sum_ns += slice_ns;
    time.wall_ns += slice.wall_ns;
  }
  return time;
}

std::optional<SliceRatios> slice_ratios(const ProcessTime& process, const ProcessTime& baseline) {
  if (process.slice_ns.empty() || process.slice_ns.size() != baseline.slice_ns.size()) return std::nullopt;
  std::vector<double> logs;
  for (std::size_t at = 0; at < process.slice_ns.size(); ++at) {
    if (!(process.slice_ns[at] > 0) || !(baseline.slice_ns[at] > 0)) return std::nullopt;
    logs.push_back(std::log(process.slice_ns[at] / baseline.slice_ns[at]));
  }
  const double median = median_of(logs);
  for (double& log : logs) log = std::abs(log - median);
  return SliceRatios{std::exp(median), median_of(std::move(logs))};
}

}  // namespace heapmark::stats
