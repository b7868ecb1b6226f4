// See soak_trend.h.
#include "allocators/tests/model/soak_trend.h"

#include <algorithm>
#include <cmath>

namespace heapmark::model {
namespace {

constexpr std::size_t kMostBatches = 20, kLeastBatches = 4;

// Student's t, 97.5 %, for 2 to 18 degrees of freedom (any table; NIST/SEMATECH e-Handbook 1.3.6.7.2).
constexpr double kT[] = {4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
                         2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101};
static_assert(sizeof kT / sizeof *kT == kMostBatches - kLeastBatches + 1);

}  // namespace

std::optional<Trend> trend_of(const double* samples, std::size_t count, std::size_t period) {
  if (period == 0) return {};
  const std::size_t periods = std::max(count / period / kMostBatches, std::size_t{1});
  const std::size_t length = periods * period;
  const std::size_t batches = std::min(count / length, kMostBatches);
  if (batches < kLeastBatches) return {};
  const double* from = samples + (count - batches * length);
  double means[kMostBatches] = {};
  double mean = 0;
  for (std::size_t batch = 0; batch < batches; ++batch) {
    for (std::size_t at = 0; at < length; ++at) means[batch] += from[batch * length + at];
    means[batch] /= static_cast<double>(length);
    mean += means[batch] / static_cast<double>(batches);
  }
  // x counts batches, from their middle.
  const double middle = (static_cast<double>(batches) - 1) / 2;
  double xx = 0, xy = 0;
  for (std::size_t batch = 0; batch < batches; ++batch) {
    const double x = static_cast<double>(batch) - middle;
    xx += x * x;
    xy += x * (means[batch] - mean);
  }
  const double slope = xy / xx;
  double residual = 0;
  for (std::size_t batch = 0; batch < batches; ++batch) {
    const double off = means[batch] - mean - slope * (static_cast<double>(batch) - middle);
    residual += off * off;
  }
  const double error = std::sqrt(residual / static_cast<double>(batches - 2) / xx);
  const double half = kT[batches - kLeastBatches] * error;
  const auto by = static_cast<double>(length);
  return Trend{slope / by, (slope - half) / by, (slope + half) / by, batches, length};
}

}  // namespace heapmark::model
