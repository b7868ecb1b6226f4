// One program running under its keeper, with its output drained, until nothing of it is left. For a measured
// command, and as well for what is run around it (--prepare, --ready, --load).
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "harness/machine/oom_kills.h"
#include "harness/trial/drain.h"
#include "harness/trial/keeper.h"
#include "harness/trial/tree_cgroup.h"

namespace heapmark::trial {

// How a program ended.
struct TreeEnding {
  Kept kept;
  bool timed_out = false, interrupted = false, stopped = false;  // stopped: we ended it, on purpose
  machine::OomKill oom_kill = machine::OomKill::kNone;
  std::string last_words;  // of its standard error, else of its standard output
};

class TreeRun {
 public:
  using Clock = std::chrono::steady_clock;
  enum class Wake { kGone, kTimedOut, kInterrupted, kTick };

  // `launch` without standard output and error: those are pipes to here. `input`: a file, or "" for
  // /dev/null. Throws std::system_error, also where the input cannot be read.
  TreeRun(Launch launch, const std::string& input, unsigned process_limit);

  // Sleeps, reading what the program prints, until it has ended and nothing of it is left, until `deadline`,
  // until `tick`, or until the tool is interrupted.
  [[nodiscard]] Wake wait(int interrupted_fd, Clock::time_point deadline,
                          std::optional<Clock::time_point> tick = std::nullopt);

  [[nodiscard]] const Keeper& keeper() const { return keeper_; }
  [[nodiscard]] const TreeCgroup& cgroup() const { return cgroup_.made; }
  [[nodiscard]] const Drain& output() const { return output_; }
  [[nodiscard]] const Drain& error() const { return error_; }

  // Ends what still runs and says how it went. `wake`: what the last wait() returned.
  [[nodiscard]] TreeEnding end(Wake wake);

 private:
  // The keeper removes it; where none could be started nobody else would.
  struct OwnCgroup {
    TreeCgroup made;
    ~OwnCgroup() { made.remove(); }
  };

  Descriptor input_;
  OwnCgroup cgroup_;
  machine::OomCounters oom_before_;
  Drain output_, error_;
  Keeper keeper_;
};

// A sentence about a failed ending, "exited with code 1; it said: ..."; "" where it ended with `exit_code`.
// `words`: of the program that was started.
[[nodiscard]] std::string ending_words(const TreeEnding& ending, const std::vector<std::string>& words,
                                       const std::string& directory, int exit_code);

}  // namespace heapmark::trial
