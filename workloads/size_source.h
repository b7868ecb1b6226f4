// Where a workload's request sizes come from: one size, a log-uniform range or a histogram file, as the user
// wrote it (contract/size_spec.h). Set up in prepare(), drawn from in run(); drawing allocates nothing and
// gives the same sizes for the same random numbers on every machine.
#pragma once

#include <cstdint>

#include "workloads/context.h"
#include "workloads/rng.h"
#include "workloads/size_distribution.h"

namespace heapmark {

class SizeSource {
 public:
  SizeSource() = default;
  explicit SizeSource(const LogUniform& steps);  // a whole number of octaves' steps, nothing cut off

  // prepare() only. Reads the value of a parameter of kind kSizes; a histogram file that cannot be read or
  // has a wrong line ends the trial with a message.
  void set_up(Context& context, const char* parameter);

  [[nodiscard]] std::uint64_t draw(Rng& random) const {
    if (rows_ != nullptr) return at_weight(random.below(total_weight_));
    if (steps_.from == steps_.to) return low_;
    for (;;) {
      const std::uint64_t bytes = draw_size(steps_, random);
      if (bytes >= low_ && bytes < high_) return bytes;
    }
  }

  // As draw_drifting() of size_distribution.h; for a histogram the window is one of equal weight.
  [[nodiscard]] std::uint64_t draw_drifting(std::uint32_t phase, std::uint32_t phases, Rng& random) const;

  [[nodiscard]] std::uint64_t mean_bytes() const { return mean_; }
  [[nodiscard]] std::uint64_t largest_bytes() const { return largest_; }

 private:
  struct Row {
    std::uint64_t bytes;
    std::uint64_t weight_up_to;  // of this size and all rows before
  };
  void load(Context& context, const char* path);
  [[nodiscard]] std::uint64_t at_weight(std::uint64_t weight) const;

  LogUniform steps_{0, 0};
  std::uint64_t low_ = 0, high_ = 0, mean_ = 0, largest_ = 0;
  const Row* rows_ = nullptr;
  std::uint64_t row_count_ = 0, total_weight_ = 0;
};

// Slots for `live_bytes` of this source, at least `least`.
inline std::uint64_t slots_for_live(const SizeSource& sizes, std::uint64_t live_bytes, std::uint64_t least) {
  const std::uint64_t slots = live_bytes / sizes.mean_bytes();
  return slots > least ? slots : least;
}

}  // namespace heapmark
