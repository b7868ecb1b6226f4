// What is shown while a run goes on: which trial of how many, what it is, how long it will take still. On a
// terminal one line that is overwritten; elsewhere a line now and then, so that a log stays short.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/trial/trial.h"

namespace heapmark::view {

// Estimates the time a list of trials will take from those that have ended: trials of one workload variant
// and pass take alike, whatever the round.
class TimeLeft {
 public:
  void ended(const trial::TrialSpec& spec, double wall_seconds);
  // Nothing before the first trial has ended.
  [[nodiscard]] std::optional<double> seconds_for(const std::vector<trial::TrialSpec>& plan,
                                                  std::size_t from) const;

 private:
  struct Mean {
    double sum = 0;
    std::size_t count = 0;
  };
  std::map<std::string, Mean> by_group_, by_allocator_and_group_;
  Mean all_;
};

// "[ 37/412] churn/small-1t, memory pass, jemalloc, 1m 40s left, 1 failed"
// Where it would be wider than `width`, the allocator's label is cut, and at last the end of the line.
[[nodiscard]] std::string progress_line(const trial::TrialSpec& spec, std::size_t number, std::size_t total,
                                        std::optional<double> seconds_left, std::size_t failed,
                                        std::size_t width = std::numeric_limits<std::size_t>::max());

class Progress {
 public:
  // Writes to `out`; `terminal` says whether that is one. `width` cuts the line.
  Progress(std::FILE* out, bool terminal, std::size_t width)
      : out_(out), terminal_(terminal), width_(width) {}
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // No trial begins after this time: what is left is no longer than until then.
  void set_deadline(std::chrono::steady_clock::time_point deadline) { deadline_ = deadline; }
  void starts(const std::vector<trial::TrialSpec>& plan, std::size_t at);
  void ended(const trial::TrialSpec& spec, const trial::TrialResult& result);
  void note(const std::string& sentence);  // on a line of its own
  void clear();

 private:
  void write(const std::string& text);

  std::FILE* out_;
  bool terminal_;
  std::size_t width_;
  bool shown_ = false;
  TimeLeft time_left_;
  std::optional<std::chrono::steady_clock::time_point> deadline_;
  std::size_t failed_ = 0;
  std::optional<std::chrono::steady_clock::time_point> last_line_;
};

}  // namespace heapmark::view
