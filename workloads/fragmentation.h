// Measures over a series of samples of live and held memory. Pure arithmetic.
#pragma once

#include <cstddef>
#include <cstdint>

namespace heapmark {

struct HeapSample {
  double operation;   // how many operations were done
  double live_bytes;  // requested and not freed: L
  double held_bytes;  // RSS above the start: U
};

// Johnstone and Wilson, "The Memory Fragmentation Problem: Solved?", ISMM 1998, section 4: as ratios, 1 =
// none.
struct Fragmentation {
  double f1;  // U / L averaged over all samples
  double f2;  // U / L at the sample of most live bytes
  double f3;  // U / L at the sample of most held bytes
  double f4;  // most held bytes / most live bytes
};

// Samples without live bytes are left out; NaN where nothing is left.
Fragmentation fragmentation_of(const HeapSample* samples, std::size_t count);

// Mean of U / L; NaN where no sample has live bytes.
double mean_held_over_live(const HeapSample* samples, std::size_t count);

// Mean of U over mean of L: what a live byte costs where live bytes rise and fall, and may be none at times;
// NaN where no sample has live bytes.
double held_over_live_in_all(const HeapSample* samples, std::size_t count);

// Slope of held bytes over operations by least squares, per million operations; NaN for fewer than two
// samples.
double growth_per_million_operations(const HeapSample* samples, std::size_t count);

}  // namespace heapmark
