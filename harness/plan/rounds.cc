// See rounds.h.
#include "harness/plan/rounds.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <sstream>

#include "harness/plan/did_you_mean.h"
#include "harness/plan/usage_error.h"

namespace heapmark::plan {
namespace {

constexpr unsigned kMostRounds = 1000;

unsigned number_of_rounds(const std::string& text, const std::string& asked) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value > kMostRounds)
    throw UsageError(
        fmt::format("--rounds takes a number up to {}, or speed=6,memory=1; not '{}'", kMostRounds, asked));
  return value;
}

}  // namespace

std::vector<std::string> pass_names() {
  std::vector<std::string> names;
  for (const PassInfo& pass : kPassTable) names.emplace_back(pass.name);
  return names;
}

std::size_t pass_index(std::string_view name) {
  for (std::size_t at = 0; at < kPassCount; ++at)
    if (kPassTable[at].name == name) return at;
  throw UsageError(unknown("pass", name, pass_names()));
}

const PassInfo& pass_info(std::string_view name) {
  return kPassTable[pass_index(name)];
}

Rounds default_rounds(bool quick) {
  Rounds rounds;
  for (const PassInfo& pass : kPassTable) rounds.of(pass.name) = quick ? pass.quick_rounds : pass.rounds;
  return rounds;
}

Rounds one_round_each() {
  Rounds rounds;
  std::fill(rounds.begin(), rounds.end(), 1U);
  return rounds;
}

Rounds parse_rounds(const std::string& asked, bool quick) {
  Rounds rounds = default_rounds(quick);
  if (asked.empty()) return rounds;
  if (asked.find('=') == std::string::npos) {
    const unsigned number = number_of_rounds(asked, asked);
    if (number == 0) throw UsageError("--rounds: at least one round");
    for (const PassInfo& pass : kPassTable) {
      unsigned& of = rounds.of(pass.name);
      of = pass.grows ? number : std::min(number, of);
    }
    return rounds;
  }
  std::istringstream in(asked);
  for (std::string pair; std::getline(in, pair, ',');) {
    const std::size_t equals = pair.find('=');
    const std::string pass = pair.substr(0, equals), names = "--rounds: ";
    if (const auto known = pass_names(); std::find(known.begin(), known.end(), pass) == known.end())
      throw UsageError(names + unknown("pass", pass, known));
    rounds.of(pass) = number_of_rounds(equals == std::string::npos ? "" : pair.substr(equals + 1), asked);
  }
  if (std::all_of(rounds.begin(), rounds.end(), [](unsigned one) { return one == 0; }))
    throw UsageError("--rounds: at least one round of one pass");
  return rounds;
}

std::string written(const Rounds& rounds) {
  std::vector<std::string> pairs;
  for (const std::string& name : pass_names()) pairs.push_back(fmt::format("{}={}", name, rounds.of(name)));
  return fmt::format("{}", fmt::join(pairs, ","));
}

Rounds more_rounds(const Rounds& before, const std::string& asked) {
  Rounds rounds = parse_rounds(asked, false);
  const unsigned last = *std::max_element(before.begin(), before.end());
  for (const std::string& name : pass_names())
    rounds.of(name) = before.of(name) == last ? std::max(rounds.of(name), last) : before.of(name);
  return rounds;
}

std::string rounds_help() {
  std::vector<std::string> defaults, grow;
  for (const PassInfo& pass : kPassTable) {
    defaults.push_back(pass.rounds == pass.quick_rounds
                           ? fmt::format("{} {}", pass.name, pass.rounds)
                           : fmt::format("{} {} (quick {})", pass.name, pass.rounds, pass.quick_rounds));
    if (pass.grows) grow.emplace_back(pass.name);
  }
  return fmt::format(
      "rounds; by default {}. A number stands for {}, and for the others where it is less; or "
      "by name: speed=6,memory=1",
      fmt::join(defaults, ", "), fmt::join(grow, ", "));
}

}  // namespace heapmark::plan
