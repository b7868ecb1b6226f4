// Whether samples of a quantity grow: a line by least squares through the means of blocks of samples, and how
// sure its slope is. Pure arithmetic; soak.cc samples and prints.
#pragma once

#include <cstddef>
#include <optional>

namespace heapmark::model {

struct Trend {
  double slope;      // of the quantity, by sample
  double low, high;  // its 95 % interval
  std::size_t batches, batch_samples;
};

// Samples of a churning heap depend on their neighbours, so that the usual interval of a regression is far
// too narrow; means of long blocks hardly do (batch means: Law, Simulation Modeling and Analysis, 9.5.3).
// Blocks are whole multiples of `period` samples, at most 20, all of one length; the first samples that do
// not fill a block are left out. Nothing where that gives fewer than four blocks. Allocates nothing.
[[nodiscard]] std::optional<Trend> trend_of(const double* samples, std::size_t count, std::size_t period);

// Growth is what the interval leaves no doubt of.
[[nodiscard]] inline bool grows(const Trend& trend) {
  return trend.low > 0;
}

}  // namespace heapmark::model
