// See command_session.h.
#include "harness/trial/command_session.h"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <memory>
#include <random>
#include <set>
#include <system_error>

#include "harness/trial/command_run.h"
#include "harness/trial/tree_run.h"
#include "harness/trial/tree_watch.h"

namespace heapmark::trial {
namespace {

using Clock = TreeRun::Clock;
constexpr double kLeastCpuShare = 0.7;  // of a command that computes

class Member {
 public:
  Member(const TrialSpec& spec, int interrupted_fd) : spec_(spec), interrupted_fd_(interrupted_fd) {
    result_.started = now_utc();
    result_.environment_padding = padding_for(spec);
    if (!prepare_command(spec, interrupted_fd, result_)) return;
    Launch launch = command_launch(spec, result_.environment_padding);
    launch.stopped = true;
    try {
      run_ = std::make_unique<TreeRun>(launch, spec.command->input, launch.process_limit);
      watch_ = std::make_unique<TreeWatch>(spec, TreeWatch::What::kProofAlone);
    } catch (const std::system_error& error) {
      result_.outcome = Outcome::kNotStarted;
      result_.message = error.what();
    }
  }

  [[nodiscard]] bool is_over() const { return run_ == nullptr; }

  // Lets it run for a turn. False where the tool was interrupted.
  bool take_turn() {
    const auto begin = Clock::now();
    continue_tree(run_->keeper().pid());
    const auto own_end = begin + std::min<Clock::duration>(kTurn, spec_.timeout - own_);
    wake_ = run_->wait(interrupted_fd_, own_end);
    stop_tree(run_->keeper().pid());
    const auto end = Clock::now();
    own_ += end - begin;
    ++turns_;
    if (wake_ == TreeRun::Wake::kTimedOut && own_ < spec_.timeout) {
      if (own_ >= next_look_) {
        (void)watch_->look(*run_);
        next_look_ = 2 * own_;
      }
      return true;
    }
    finish();
    return wake_ != TreeRun::Wake::kInterrupted;
  }

  void interrupt() {
    wake_ = TreeRun::Wake::kInterrupted;
    if (run_) finish();
    result_.outcome = Outcome::kInterrupted;
  }

  TrialResult take() { return std::move(result_); }

 private:
  void finish() {
    const TreeEnding ending = run_->end(wake_);
    const double own_seconds = std::chrono::duration<double>(own_).count();
    result_.wall_seconds = own_seconds;
    finish_command(spec_, *run_, ending, watch_->proofs(), result_);
    run_.reset();
    if (result_.outcome != Outcome::kOk) return;
    // Between its first and its last instant it mostly stood still: its time is that of its turns.
    result_.metrics["wall_seconds"] = own_seconds;
    Lockstep& lockstep = result_.lockstep.emplace();
    lockstep.slices = turns_;
    lockstep.waited_ns = static_cast<std::uint64_t>(
        std::max(0.0, static_cast<double>(ending.kept.end_ns - ending.kept.start_ns) - own_seconds * 1e9));
    if (const double cpu = result_.metrics.at("cpu_seconds");
        turns_ > 2 && cpu < kLeastCpuShare * own_seconds)
      result_.notes.push_back(
          fmt::format("it used a CPU in {:.0f} % of its turns: it waits for something, which goes on while "
                      "it is stopped, and "
                      "--lockstep does not apply: measure it without",
                      100 * cpu / own_seconds));
  }

  const TrialSpec& spec_;
  int interrupted_fd_;
  TrialResult result_;
  std::unique_ptr<TreeRun> run_;
  std::unique_ptr<TreeWatch> watch_;
  TreeRun::Wake wake_ = TreeRun::Wake::kTick;
  Clock::duration own_{}, next_look_{};
  std::uint64_t turns_ = 0;
};

}  // namespace

void stop_tree(pid_t keeper) {
  std::set<pid_t> stopped;
  for (bool more = true; more;) {
    more = false;
    for (const pid_t process : processes_below(keeper))
      if (stopped.insert(process).second) {
        ::kill(process, SIGSTOP);
        more = true;  // it may have started another before it stopped
      }
  }
}

void continue_tree(pid_t keeper) {
  for (const pid_t process : processes_below(keeper)) ::kill(process, SIGCONT);
}

std::vector<TrialResult> run_command_session(const std::vector<TrialSpec>& specs, int interrupted_fd) {
  std::vector<std::unique_ptr<Member>> members;
  for (const TrialSpec& spec : specs) members.push_back(std::make_unique<Member>(spec, interrupted_fd));
  std::seed_seq seed{specs.front().seed, std::uint64_t{specs.front().round}};
  std::mt19937 random(seed);
  std::vector<Member*> running;
  for (const auto& member : members)
    if (!member->is_over()) running.push_back(member.get());
  bool interrupted = false;
  while (!running.empty() && !interrupted) {
    std::shuffle(running.begin(), running.end(), random);
    for (Member* member : running)
      if (interrupted = !member->take_turn(); interrupted) break;
    std::erase_if(running, [](const Member* member) { return member->is_over(); });
  }
  std::vector<TrialResult> results;
  for (const auto& member : members) {
    if (interrupted) member->interrupt();
    results.push_back(member->take());
  }
  return results;
}

}  // namespace heapmark::trial
