// Watches a process tree from outside while it runs: how much anonymous memory its processes hold, which come
// and go, and on which malloc each runs. Looking takes time that the program may miss (the kernel walks its
// page tables), so that all looks together use at most 1/120 of a CPU's time, and the record says how much
// they used. Where one look takes long (the processes hold much), and the tree has a memory cgroup, that is
// asked instead from then on. Above: command_run.cc and server_run.cc; below: /proc.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "harness/trial/malloc_proof.h"
#include "harness/trial/tree_run.h"
#include "harness/trial/trial.h"

namespace heapmark::trial {

// Resident anonymous bytes of one process, pages that processes share counted in parts (Pss_Anon of
// smaps_rollup, proc(5)); NaN where it cannot be read.
[[nodiscard]] double anonymous_bytes_of(pid_t process);

// The series of samples: peak and mean are of all samples, of the rows every second is left out when there
// are too many. Pure.
class MemorySeries {
 public:
  static constexpr std::size_t kMostRows = 2000;
  struct Row {
    double time_ns, rss_bytes, processes;
    std::uint32_t phase;
  };
  void add(const Row& row);
  [[nodiscard]] const std::vector<Row>& rows() const { return rows_; }
  [[nodiscard]] double peak_bytes() const { return peak_; }  // NaN without a sample
  [[nodiscard]] double mean_bytes() const;                   // weighted with time; NaN below two samples
  [[nodiscard]] double last_bytes() const;                   // NaN without a sample
  [[nodiscard]] std::size_t samples() const { return samples_; }

 private:
  std::vector<Row> rows_;
  Row last_{};
  std::size_t samples_ = 0, stride_ = 1;
  double peak_ = std::numeric_limits<double>::quiet_NaN(), area_ = 0, first_ns_ = 0;
};

// When to look again at `now`, after `cost` spent on looking since `began`. Pure.
[[nodiscard]] std::chrono::steady_clock::time_point next_look(std::chrono::steady_clock::time_point began,
                                                              std::chrono::steady_clock::time_point now,
                                                              std::chrono::steady_clock::duration cost);

class TreeWatch {
 public:
  using Clock = std::chrono::steady_clock;
  enum class What { kProofAlone, kMemoryToo };
  TreeWatch(const TrialSpec& spec, What what);

  // When the next look is due.
  [[nodiscard]] Clock::time_point next() const { return next_; }
  // Looks at everything that runs. Returns the bytes of this sample; NaN where only the proof is wanted.
  double look(const TreeRun& run, std::uint32_t phase = 0);

  [[nodiscard]] const ProofBook& proofs() const { return proofs_; }
  [[nodiscard]] const MemorySeries& series() const { return series_; }
  // Adds the series, the marks of starts and exits, and what looking cost.
  void add_to(TrialResult& result) const;

 private:
  struct Process {
    unsigned looks = 0;
    bool settled = false;  // its malloc is known
    std::string program;
  };
  struct Mark {
    double time_ns;
    int kind;  // 0 started, 1 gone, 2 became another program
    double process;
    std::string program;
  };
  [[nodiscard]] bool has_become_the_command(const Keeper& keeper);
  void note_processes(const std::vector<pid_t>& processes, double time_ns);

  What what_;
  bool has_begun_ = false, by_cgroup_ = false;
  int tries_ = 0;
  Clock::time_point began_ = Clock::now(), next_;
  Clock::duration cost_{}, not_looking_{};
  ProofBook proofs_;
  MemorySeries series_;
  std::map<pid_t, Process> known_;
  std::vector<Mark> marks_;
  std::uint32_t dropped_marks_ = 0;
  std::size_t most_processes_ = 0, looks_ = 0;
};

}  // namespace heapmark::trial
