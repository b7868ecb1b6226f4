// See fragmentation.h.
#include "workloads/fragmentation.h"

#include "workloads/contract/report.h"

namespace heapmark {

double mean_held_over_live(const HeapSample* samples, std::size_t count) {
  double sum = 0;
  std::size_t used = 0;
  for (std::size_t at = 0; at < count; ++at) {
    if (samples[at].live_bytes <= 0) continue;
    sum += samples[at].held_bytes / samples[at].live_bytes;
    ++used;
  }
  return used == 0 ? kNotMeasured : sum / static_cast<double>(used);
}

Fragmentation fragmentation_of(const HeapSample* samples, std::size_t count) {
  const HeapSample* most_live = nullptr;
  const HeapSample* most_held = nullptr;
  for (const HeapSample* at = samples; at != samples + count; ++at) {
    if (at->live_bytes <= 0) continue;
    if (most_live == nullptr || at->live_bytes > most_live->live_bytes) most_live = at;
    if (most_held == nullptr || at->held_bytes > most_held->held_bytes) most_held = at;
  }
  if (most_live == nullptr) return {kNotMeasured, kNotMeasured, kNotMeasured, kNotMeasured};
  return {mean_held_over_live(samples, count), most_live->held_bytes / most_live->live_bytes,
          most_held->held_bytes / most_held->live_bytes, most_held->held_bytes / most_live->live_bytes};
}

double held_over_live_in_all(const HeapSample* samples, std::size_t count) {
  double held = 0, live = 0;
  for (std::size_t at = 0; at < count; ++at) {
    held += samples[at].held_bytes;
    live += samples[at].live_bytes;
  }
  return live > 0 ? held / live : kNotMeasured;
}

double growth_per_million_operations(const HeapSample* samples, std::size_t count) {
  if (count < 2) return kNotMeasured;
  double mean_x = 0, mean_y = 0;
  for (std::size_t at = 0; at < count; ++at) {
    mean_x += samples[at].operation / static_cast<double>(count);
    mean_y += samples[at].held_bytes / static_cast<double>(count);
  }
  double xy = 0, xx = 0;
  for (std::size_t at = 0; at < count; ++at) {
    const double dx = samples[at].operation - mean_x;
    xy += dx * (samples[at].held_bytes - mean_y);
    xx += dx * dx;
  }
  return xx == 0 ? kNotMeasured : xy / xx * 1e6;
}

}  // namespace heapmark
