// Turns what a measured process left in its report into a trial's result. The process may have crashed while
// it wrote, or written anywhere: every count is checked before it is used. Pure.
#pragma once

#include "harness/machine/oom_kills.h"
#include "harness/trial/trial.h"
#include "workloads/contract/report.h"

namespace heapmark::trial {

// Fills metrics, tables, phases, libraries and the observer's figures of `result`.
void read_report(const Report& report, TrialResult& result);

// How the process ended, as wait(2) tells it.
struct Ending {
  bool timed_out = false;
  bool interrupted = false;
  int wait_status = 0;
  std::uint64_t max_rss_bytes = 0;
  machine::OomKill oom_kill = machine::OomKill::kNone;  // looked at where SIGKILL ended it
};

// Sets outcome and message from the ending and from what the process said of itself. `last_words` is the end
// of its standard error: it goes into the message where the trial failed.
void judge_ending(const Report& report, const Ending& ending, std::chrono::seconds timeout,
                  const std::string& last_words, TrialResult& result);

}  // namespace heapmark::trial
