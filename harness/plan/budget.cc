// See budget.h.
#include "harness/plan/budget.h"

namespace heapmark::plan {
namespace {

constexpr unsigned kLeastSpeedRounds = 3;  // with fewer an interval says next to nothing

bool fewer_rounds(Rounds& rounds) {
  if (rounds.speed > kLeastSpeedRounds)
    --rounds.speed;
  else if (rounds.memory > 1)
    --rounds.memory;
  else
    return false;
  return true;
}

}  // namespace

double& RoundCost::of(std::string_view pass) {
  return pass == "speed" ? speed : pass == "memory" ? memory : pass == "ledger" ? ledger : limit;
}

double RoundCost::of(const Rounds& rounds) const {
  return speed * rounds.speed + memory * rounds.memory + ledger * rounds.ledger + limit * rounds.limit;
}

std::size_t settings(const std::vector<Varied>& varied) {
  std::size_t points = 1;
  for (const Varied& one : varied) points *= one.values.size();
  return points + 1;
}

Fitted fit(std::vector<Varied> varied, Rounds rounds, const RoundCost& cost, double budget_seconds) {
  for (;;) {
    const double seconds = cost.of(rounds) * static_cast<double>(settings(varied));
    if (seconds <= budget_seconds) return {std::move(varied), rounds, seconds, true};
    if (!fewer_rounds(rounds) && !thin(varied)) return {std::move(varied), rounds, seconds, false};
  }
}

}  // namespace heapmark::plan
