// All that is computed from the records, once: the results file, tables, plots' data and closing words are
// made from this, and compute nothing of their own.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/record/record.h"
#include "harness/stats/objectives.h"
#include "harness/stats/statistics.h"

namespace heapmark::stats {

// One allocator's place in an aspect: its ratio to the baseline, as in Overall. The baseline's own is 1.
struct Rank {
  std::string allocator;
  Summary ratio;
};

// Of one aspect (Objective): the allocators for use that all its workloads ran on, best first. The first
// `leaders` cannot be told apart from the best, each compared with it within the same rounds.
struct Ranking {
  std::string aspect;
  std::vector<Rank> best_first;
  std::size_t leaders = 0;
};

// How the comparisons with the baseline came out, of the headline figures in which a direction is better.
struct Tally {
  std::size_t comparisons = 0, equal = 0, cannot_tell = 0;
  // `more_rounds` more would decide about `decided_by_more` of those that cannot tell: half of those whose
  // pass
  // --resume -r goes on with (plan/rounds.h). 0 where none is known to be decided by more rounds.
  std::size_t more_rounds = 0, decided_by_more = 0;
};

// How many of an allocator's runs of a workload variant still drifted at the end, or were too short to say
// (steadiness.h); of workloads that are to become steady.
struct Drifting {
  std::size_t runs = 0, memory = 0, time = 0;
};

// What makes these figures differ from what the same programs would show elsewhere.
struct Conditions {
  std::optional<double> load;  // when the run began; only where it took a noticeable part of the CPUs
  unsigned cpus = 0;
  unsigned most_threads = 0;  // of a workload; 0 where it is not above `cpus`
  bool quick = false, check = false;
};

struct Analysis {
  double margin = kDefaultMargin;
  std::vector<Statistic> statistics;
  std::vector<Overall> overalls;
  std::vector<Ranking> rankings;  // "time", "rss", "left": of those that were measured
  Tally tally;
  Drifting drifting;
  Conditions conditions;
};

// With the margin that the results were asked with (Asked::margin).
[[nodiscard]] Analysis analyse(const record::Results& results);

// The statistics as the results file has them.
[[nodiscard]] std::vector<record::json> statistics_json(const Analysis& analysis);

}  // namespace heapmark::stats
