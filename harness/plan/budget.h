// How a sweep is made to fit a time: fewer rounds first, then fewer values. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "harness/plan/plan.h"
#include "harness/plan/vary.h"

namespace heapmark::plan {

// Seconds that one round of all workload variants takes on one allocator, by pass; 0 of one that takes no
// part.
struct RoundCost {
  double speed = 0, memory = 0, ledger = 0, limit = 0;
  [[nodiscard]] double& of(std::string_view pass);
  [[nodiscard]] double of(std::string_view pass) const { return const_cast<RoundCost*>(this)->of(pass); }
  [[nodiscard]] double of(const Rounds& rounds) const;
};

struct Fitted {
  std::vector<Varied> varied;
  Rounds rounds;
  double seconds = 0;  // what it will take, as far as the costs on the defaults tell
  bool fits = true;    // false: even the thinnest plan takes longer
};

// How many settings the grid has, the defaults included.
[[nodiscard]] std::size_t settings(const std::vector<Varied>& varied);

// Rounds of the speed pass go down to 3 and of the memory pass to 1 before a value is left out.
[[nodiscard]] Fitted fit(std::vector<Varied> varied, Rounds rounds, const RoundCost& cost,
                         double budget_seconds);

}  // namespace heapmark::plan
