// See budget.h.
#include "harness/plan/budget.h"

namespace heapmark::plan {
namespace {

constexpr unsigned kFewestRounds = 3;  // of a pass that grows: with fewer an interval says next to nothing

bool fewer_rounds(Rounds& rounds) {
  for (const PassInfo& pass : kPassTable) {
    unsigned& of = rounds.of(pass.name);
    if (of <= (pass.grows ? kFewestRounds : 1U)) continue;
    --of;
    return true;
  }
  return false;
}

double seconds_of(const Rounds& rounds, const RoundCost& cost) {
  double seconds = 0;
  for (const PassInfo& pass : kPassTable) seconds += cost.of(pass.name) * rounds.of(pass.name);
  return seconds;
}

}  // namespace

std::size_t settings(const std::vector<Varied>& varied) {
  std::size_t points = 1;
  for (const Varied& one : varied) points *= one.values.size();
  return points + 1;
}

double seconds_for(const std::vector<Varied>& varied, const Rounds& rounds, const RoundCost& cost) {
  return seconds_of(rounds, cost) * static_cast<double>(settings(varied));
}

Fitted fit(std::vector<Varied> varied, Rounds rounds, const RoundCost& cost, double budget_seconds) {
  for (;;) {
    const double seconds = seconds_for(varied, rounds, cost);
    if (seconds <= budget_seconds) return {std::move(varied), rounds, seconds, true};
    if (!fewer_rounds(rounds) && !thin(varied)) return {std::move(varied), rounds, seconds, false};
  }
}

}  // namespace heapmark::plan
