// See command_judge.h.
#include "harness/trial/command_judge.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>

namespace heapmark::trial {

void judge_command(const TrialSpec& spec, const TreeEnding& ending, TrialResult& result) {
  const Command& command = *spec.command;
  const Kept& kept = ending.kept;
  const std::string said = ending.last_words.empty() ? "" : "; it said: " + ending.last_words;
  result.message = ending_words(ending, command.words, command.directory, command.exit_code);
  if (ending.interrupted) {
    result.outcome = Outcome::kInterrupted;
  } else if (kept.start_error != 0) {
    result.outcome = Outcome::kNotStarted;
  } else if (!kept.gone) {
    result.outcome = Outcome::kError;
  } else if (kept.forks_refused > 0) {
    result.outcome = Outcome::kProcessLimit;
    result.message =
        fmt::format("it wanted more than {} processes and threads at one time: allow more by --processes{}",
                    command.process_limit, said);
  } else if (ending.timed_out) {
    result.outcome = Outcome::kTimedOut;
    result.message =
        fmt::format("killed after {} s; give it longer by --timeout{}", spec.timeout.count(), said);
  } else if (WIFSIGNALED(kept.wait_status)) {
    const bool by_kernel =
        WTERMSIG(kept.wait_status) == SIGKILL && ending.oom_kill != machine::OomKill::kNone;
    const bool at_limit = ending.oom_kill == machine::OomKill::kCgroupLimit;
    result.outcome = !by_kernel ? Outcome::kCrashed
                     : at_limit ? Outcome::kCgroupLimit
                                : Outcome::kOutOfMemory;
    if (by_kernel)
      result.message = at_limit ? "the kernel ended it at the limit of its memory cgroup"
                                : "the kernel ended it because the machine had no memory left";
  } else {
    result.outcome = result.message.empty() ? Outcome::kOk : Outcome::kCommandFailed;
  }
  if (result.outcome == Outcome::kOk && kept.left_behind > 0)
    result.notes.push_back(fmt::format("{} process{} still ran when the command had ended, and {} ended",
                                       kept.left_behind, kept.left_behind == 1 ? "" : "es",
                                       kept.left_behind == 1 ? "was" : "were"));
}

void judge_proofs(const TrialSpec& spec, const ProofBook& proofs, TrialResult& result) {
  if (proofs.proved_any()) result.malloc_library = spec.library;
  for (const std::string& sentence : proofs.of(Proof::kOwn)) result.notes.push_back(sentence);
  if (result.outcome != Outcome::kOk) return;
  for (const Proof wrong : {Proof::kLost, Proof::kLinked})
    for (const std::string& sentence : proofs.of(wrong)) {
      result.outcome = Outcome::kWrongAllocator;
      result.message += (result.message.empty() ? "" : "; ") + sentence;
    }
}

}  // namespace heapmark::trial
