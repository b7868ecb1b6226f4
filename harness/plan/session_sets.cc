// See session_sets.h.
#include "harness/plan/session_sets.h"

#include <fmt/format.h>

#include <algorithm>

namespace heapmark::plan {
namespace {

std::string mib(double bytes) {
  return fmt::format("{:.0f} MiB", bytes / (1024 * 1024));
}

std::string names_of(const std::vector<trial::TrialSpec>& specs) {
  std::string names;
  for (const trial::TrialSpec& spec : specs) names += (names.empty() ? "" : ", ") + spec.allocator;
  return names;
}

}  // namespace

SessionSets session_sets(const std::vector<trial::TrialSpec>& group, const std::string& baseline,
                         std::uint64_t available_bytes) {
  SessionSets out;
  std::vector<trial::TrialSpec> able;
  for (const trial::TrialSpec& spec : group) (spec.lockstep ? able : out.in_rounds).push_back(spec);
  if (!out.in_rounds.empty())
    out.why = names_of(out.in_rounds) + ": timed in rounds, since the allocator would notice the waiting";
  if (able.empty()) return out;

  const auto first = std::find_if(able.begin(), able.end(),
                                  [&](const trial::TrialSpec& spec) { return spec.allocator == baseline; });
  if (first != able.end()) std::rotate(able.begin(), first, first + 1);

  const double limit = kSessionMemoryShare * static_cast<double>(available_bytes);
  const auto bytes = [&](const trial::TrialSpec& spec) {
    return static_cast<double>(spec.memory_estimate_bytes);
  };
  const double base = bytes(able.front());
  std::vector<trial::TrialSpec> too_large;
  double held = 0;
  double all = base;
  for (std::size_t at = 1; at < able.size(); ++at) {
    const double one = bytes(able[at]);
    all += one;
    if (base + one > limit) {
      too_large.push_back(able[at]);
      continue;
    }
    if (out.sets.empty() || held + one > limit || out.sets.back().size() == kMostInSession) {
      out.sets.push_back({able.front()});
      held = base;
    }
    out.sets.back().push_back(able[at]);
    held += one;
  }
  const auto say = [&](const std::string& sentence) { out.why += (out.why.empty() ? "" : "; ") + sentence; };
  if (out.sets.size() > 1)
    say(all > limit
            ? fmt::format("{} sets, each with {}: together the processes would need about {}, 60 % of the "
                          "available memory is {}",
                          out.sets.size(), able.front().allocator, mib(all), mib(limit))
            : fmt::format("{} sets, each with {}: at most {} processes take turns", out.sets.size(),
                          able.front().allocator, kMostInSession));
  if (!too_large.empty())
    say(fmt::format(
        "{}: timed in rounds, since beside {} the processes would need more than 60 % of the available "
        "memory, {}",
        names_of(too_large), able.front().allocator, mib(limit)));
  if (out.sets.empty() && !too_large.empty()) out.in_rounds.push_back(able.front());
  // Alone, with nothing to take turns with, a trial is cut into slices all the same: its time is measured
  // alike.
  if (out.sets.empty() && too_large.empty()) out.sets.push_back({able.front()});
  out.in_rounds.insert(out.in_rounds.end(), too_large.begin(), too_large.end());
  return out;
}

}  // namespace heapmark::plan
