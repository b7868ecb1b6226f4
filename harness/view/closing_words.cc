// See closing_words.h.
#include "harness/view/closing_words.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "harness/view/comparison.h"

namespace heapmark::view {
namespace {

using record::Results;
using stats::Analysis;
using stats::Ranking;

constexpr std::size_t kMostNamed = 3;  // in a line

struct AspectWords {
  const char* aspect;
  const char* best;     // "Fastest"
  const char* measure;  // "{} of glibc's time"
};
constexpr AspectWords kAspects[] = {
    {"time", "Fastest", "{} of {}'s time"},
    {"rss", "Least memory while running", "{} of {}'s"},
    {"left", "Gives back most", "holds {} of what {} holds once everything is freed"},
    {"settled", "Holds least after the load has settled", "{} of {}'s"},
};

std::string names(const Ranking& ranking) {
  std::vector<std::string> labels;
  for (std::size_t at = 0; at < std::min(ranking.leaders, kMostNamed); ++at)
    labels.push_back(ranking.best_first[at].allocator);
  std::string text = fmt::format("{}", fmt::join(labels, ", "));
  if (ranking.leaders > kMostNamed) text += fmt::format(" and {} more", ranking.leaders - kMostNamed);
  return text;
}

std::string rank_words(const Ranking& ranking, const std::string& baseline) {
  const auto words = std::find_if(std::begin(kAspects), std::end(kAspects),
                                  [&](const AspectWords& one) { return ranking.aspect == one.aspect; });
  const stats::Rank& best = ranking.best_first.front();
  const std::string measure = fmt::format(fmt::runtime(words->measure), ratio_words(best.ratio), baseline);
  if (ranking.leaders > 1)
    return fmt::format("{}: cannot be told apart: {} ({}: {}).", words->best, names(ranking), best.allocator,
                       best.allocator == baseline ? "the baseline" : measure);
  std::string text = fmt::format("{}: {}", words->best, best.allocator);
  if (best.allocator != baseline) text += ", " + measure;
  if (ranking.best_first.size() > 1) {
    const stats::Rank& next = ranking.best_first[1];
    text += next.allocator == baseline
                ? fmt::format("; next is {}", baseline)
                : fmt::format("; next is {} with {}", next.allocator, ratio_words(next.ratio));
  }
  return text + ".";
}

std::string tally_words(const Analysis& analysis) {
  const stats::Tally& tally = analysis.tally;
  std::string text = fmt::format("Of {} comparisons {} are equal within {}", tally.comparisons, tally.equal,
                                 percent(analysis.margin));
  if (tally.cannot_tell == 0) return text + ", and every one is decided.";
  text += fmt::format("; {} cannot be told yet", tally.cannot_tell);
  if (tally.more_rounds > 0)
    text += fmt::format(" (about {} more round{} would decide {} of them)", tally.more_rounds,
                        tally.more_rounds == 1 ? "" : "s", tally.decided_by_more);
  return text + ".";
}

// "" where everything became steady.
std::string drifting_words(const stats::Drifting& drifting) {
  if (drifting.memory + drifting.time == 0) return "";
  return fmt::format(
      "Not steady by the end: memory in {} and time in {} of {} runs (an allocator on a variant).",
      drifting.memory, drifting.time, drifting.runs);
}

// "3 of 120 trials failed: scudo (crashed), mine (wrong allocator); ...". "" where none did.
std::string failure_words(const Results& results) {
  std::size_t failed = 0;
  std::vector<std::string> who;
  for (const auto& [spec, result, host] : results.records) {
    if (result.outcome == trial::Outcome::kOk) continue;
    ++failed;
    std::string one = fmt::format("{} ({})", spec.allocator, record::outcome_name(result.outcome));
    if (std::find(who.begin(), who.end(), one) == who.end()) who.push_back(std::move(one));
  }
  if (failed == 0) return "";
  const std::size_t unnamed = who.size() - std::min(who.size(), kMostNamed);
  who.resize(who.size() - unnamed);
  return fmt::format("{} of {} trials failed: {}{}; heapmark show says why.", failed, results.records.size(),
                     fmt::join(who, ", "), unnamed > 0 ? fmt::format(" and {} more", unnamed) : "");
}

// What trials noted, each once, not more than a few.
std::vector<std::string> notes(const Results& results) {
  std::vector<std::string> all;
  for (const record::Record& one : results.records)
    for (const std::string& note : one.result.notes)
      if (std::string line = "Note: " + note + ".";
          all.size() < kMostNamed && std::find(all.begin(), all.end(), line) == all.end())
        all.push_back(std::move(line));
  return all;
}

std::vector<std::string> distortions(const stats::Conditions& conditions) {
  std::vector<std::string> all;
  if (conditions.load)
    all.push_back(
        fmt::format("a load of {:.1f} on {} CPUs when the run began", *conditions.load, conditions.cpus));
  if (conditions.most_threads > 0)
    all.push_back(fmt::format("{} threads on {} CPUs", conditions.most_threads, conditions.cpus));
  if (conditions.quick) all.emplace_back("--quick (less work, fewer rounds)");
  if (conditions.check) all.emplace_back("--check (every block is filled and read: times mean nothing)");
  return all;
}

std::string quoted(const std::string& word) {
  return word.find_first_of(" []*'\"") == std::string::npos ? word : "'" + word + "'";
}

// Without what shortened or slowed this run.
std::string run_again(const Results& results) {
  if (results.asked.request.command && results.context.is_object()) {
    std::string typed = results.context.value("command", "");
    const std::string quick = " --quick";
    if (const auto at = typed.find(quick); at != std::string::npos && at < typed.find(" -- "))
      typed.erase(at, quick.size());
    return typed;
  }
  std::string command = "heapmark run -a " + quoted(results.asked.allocators);
  const auto& workloads = results.asked.request.workloads;
  if (!workloads.empty()) command += fmt::format(" -w {}", fmt::join(workloads, ","));
  const auto& passes = results.asked.request.passes;
  if (!passes.empty()) command += fmt::format(" --pass {}", fmt::join(passes, ","));
  return command;
}

std::string next_command(const Results& results, const Analysis& analysis, const std::string& file) {
  const stats::Tally& tally = analysis.tally;
  const bool merged = results.context.is_object() && results.context.contains("merged");
  if (analysis.conditions.check || (analysis.conditions.quick && tally.cannot_tell > 0))
    return run_again(results);
  const bool stops_when_precise = results.asked.request.precision > 0;  // further rounds may all be left out
  if (tally.more_rounds > 0 && !merged && !stops_when_precise) {
    const plan::Rounds& rounds = results.asked.request.rounds;
    const unsigned most = *std::max_element(rounds.begin(), rounds.end());
    return fmt::format("heapmark run --resume {} -r {}", quoted(file), most + tally.more_rounds);
  }
  return fmt::format("heapmark show {}", quoted(file));
}

}  // namespace

std::vector<std::string> closing_words(const Results& results, const Analysis& analysis,
                                       const std::string& file) {
  std::vector<std::string> lines;
  for (const Ranking& ranking : analysis.rankings)
    if (ranking.best_first.size() > 1) lines.push_back(rank_words(ranking, results.asked.baseline));
  if (analysis.tally.comparisons > 0) lines.push_back(tally_words(analysis));
  if (std::string drifting = drifting_words(analysis.drifting); !drifting.empty())
    lines.push_back(std::move(drifting));
  if (std::string failures = failure_words(results); !failures.empty()) lines.push_back(std::move(failures));
  for (std::string& note : notes(results)) lines.push_back(std::move(note));
  if (const auto why = distortions(analysis.conditions); !why.empty())
    lines.push_back(fmt::format("These figures are distorted by {}.", fmt::join(why, "; ")));
  lines.push_back("Next: " + next_command(results, analysis, file));
  return lines;
}

}  // namespace heapmark::view
