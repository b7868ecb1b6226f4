// How a sweep is made to fit a time: fewer rounds first, then fewer values. Pure.
#pragma once

#include <vector>

#include "harness/plan/plan.h"
#include "harness/plan/vary.h"

namespace heapmark::plan {

// Seconds that one round of all workload variants takes on one allocator, by pass; 0 of one that takes no
// part.
using RoundCost = ByPass<double>;

struct Fitted {
  std::vector<Varied> varied;
  Rounds rounds;
  double seconds = 0;  // what it will take, as far as the costs on the defaults tell
  bool fits = true;    // false: even the thinnest plan takes longer
};

// How many settings the grid has, the defaults included.
[[nodiscard]] std::size_t settings(const std::vector<Varied>& varied);

// What the whole grid takes, as far as the costs on the defaults tell.
[[nodiscard]] double seconds_for(const std::vector<Varied>& varied, const Rounds& rounds,
                                 const RoundCost& cost);

// Rounds are taken off pass by pass, of those that grow down to 3 and of the others to 1, before a value is
// left out.
[[nodiscard]] Fitted fit(std::vector<Varied> varied, Rounds rounds, const RoundCost& cost,
                         double budget_seconds);

}  // namespace heapmark::plan
