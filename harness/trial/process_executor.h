// Runs trials as processes: one at a time, or several turn by turn (session.h), each with a time limit, under
// the kernel-call ledger where the pass asks for it. While a trial runs this process sleeps.
#pragma once

#include <atomic>
#include <memory>
#include <set>
#include <string>

#include "harness/trial/child.h"
#include "harness/trial/swap_space.h"
#include "harness/trial/trial.h"

namespace heapmark::trial {

class MemoryCgroup;
class Pressure;

class ProcessExecutor : public Executor {
 public:
  explicit ProcessExecutor(std::string host_program);
  ~ProcessExecutor() override;
  // For the pressure pass; made when its first trial comes, and kept until the end of this object.
  void choose_swap(const SwapAsked& swap) { swap_ = swap; }
  TrialResult run(const TrialSpec& spec) override;
  std::vector<TrialResult> run_session(const std::vector<TrialSpec>& specs) override;

  // Ends the running trial, and every further one, as interrupted. May be called from a signal handler.
  void interrupt() noexcept;

 private:
  TrialResult run_process(const TrialSpec& spec, MemoryCgroup* cgroup);
  void cache_files_of(const TrialSpec& spec);

  std::string host_program_;
  std::set<std::string> cached_;  // files that were read once
  SwapAsked swap_;
  std::unique_ptr<Pressure> pressure_;
  Descriptor interrupted_;  // an eventfd, readable once interrupt() was called
};

}  // namespace heapmark::trial
