// See server_run.h.
#include "harness/trial/server_run.h"

#include <fmt/format.h>
#include <string.h>
#include <unistd.h>

#include <charconv>
#include <cmath>
#include <regex>

#include "harness/trial/command_judge.h"
#include "harness/trial/tree_run.h"
#include "harness/trial/tree_watch.h"

namespace heapmark::trial {
namespace {

using Clock = TreeRun::Clock;
constexpr std::chrono::milliseconds kBetweenLooks{20}, kBetweenTries{50};
constexpr std::chrono::seconds kToStop{10}, kToDie{2};

enum Phase : std::uint32_t { kStarting, kReady, kLoad, kSettle };

Launch shell(const std::string& script, const std::string& directory) {
  Launch launch;
  launch.words = {"/bin/sh", "-c", script};
  for (char** one = environ; *one != nullptr; ++one) launch.environment.emplace_back(*one);
  launch.directory = directory;
  return launch;
}

class ServerTrial {
 public:
  ServerTrial(const TrialSpec& spec, const Launch& launch, int interrupted_fd, TrialResult& result)
      : spec_(spec),
        command_(*spec.command),
        asked_(*spec.command->server),
        interrupted_fd_(interrupted_fd),
        result_(result),
        server_(launch, command_.input, command_.process_limit),
        watch_(spec, spec.pass == "memory" ? TreeWatch::What::kMemoryToo : TreeWatch::What::kProofAlone),
        deadline_(Clock::now() + spec.timeout) {}

  void run() {
    result_.phases = {"starting", "ready", "load", "settle"};
    result_.outcome = Outcome::kOk;
    const bool measured = become_ready() && put_load() && settle();
    watch_.add_to(result_);
    stop(measured);
    judge_proofs(spec_, watch_.proofs(), result_);
  }

 private:
  bool fail(Outcome outcome, const std::string& message) {
    result_.outcome = outcome;
    result_.message = message;
    return false;
  }

  // Sleeps a little, reads what the server prints, looks at it where that is due. False where it is gone or
  // the trial is over: `result_` says so.
  bool server_goes_on(const std::string& when) {
    const auto tick = std::min(watch_.next(), Clock::now() + kBetweenLooks);
    wake_ = server_.wait(interrupted_fd_, deadline_, tick);
    if (wake_ == TreeRun::Wake::kTick) {
      if (Clock::now() >= watch_.next()) (void)watch_.look(server_, phase_);
      return true;
    }
    if (wake_ == TreeRun::Wake::kInterrupted) return fail(Outcome::kInterrupted, "");
    if (wake_ == TreeRun::Wake::kTimedOut)
      return fail(Outcome::kTimedOut, fmt::format("killed after {} s, {}; give it longer by --timeout",
                                                  spec_.timeout.count(), when));
    ended_early_ = when;
    return false;
  }

  // Runs a shell command beside the server. Nothing where the server failed meanwhile.
  std::optional<TreeEnding> beside(const std::string& script, const std::string& when) {
    TreeRun run(shell(script, command_.directory), "", command_.process_limit);
    for (;;) {
      const TreeRun::Wake wake = run.wait(interrupted_fd_, deadline_, Clock::now() + kBetweenLooks / 4);
      if (wake == TreeRun::Wake::kGone) {
        TreeEnding ending = run.end(wake);
        printed_ = run.output().tail();
        return ending;
      }
      if (!server_goes_on(when)) return std::nullopt;
    }
  }

  bool become_ready() {
    const auto give_up = Clock::now() + asked_.ready_within;
    for (;;) {
      const auto ending = beside(asked_.ready, "while it started");
      if (!ending) return false;
      const std::string words = ending_words(*ending, {"--ready"}, command_.directory, 0);
      if (words.empty()) break;
      if (Clock::now() >= give_up)
        return fail(Outcome::kTimedOut,
                    fmt::format("the server was not ready within {} s: --ready '{}' {}",
                                std::chrono::duration_cast<std::chrono::seconds>(asked_.ready_within).count(),
                                asked_.ready, words));
      const auto next = Clock::now() + kBetweenTries;
      while (Clock::now() < next)
        if (!server_goes_on("while it started")) return false;
    }
    phase_ = kReady;
    at_boundary("rss_ready_bytes");
    return true;
  }

  bool put_load() {
    phase_ = kLoad;
    const auto ending = beside(asked_.load, "under load");
    if (!ending) return false;
    const std::string words = ending_words(*ending, {"--load"}, command_.directory, 0);
    if (!words.empty()) {
      // The load may have seen the server's end before we do.
      const auto until = Clock::now() + kToDie;
      while (Clock::now() < until)
        if (!server_goes_on("under load")) return false;
      return fail(Outcome::kCommandFailed,
                  fmt::format("the load failed: --load '{}' {}", asked_.load, words));
    }
    at_boundary("rss_loaded_bytes");
    if (spec_.pass != "speed") return true;
    result_.metrics["load_seconds"] = static_cast<double>(ending->kept.end_ns - ending->kept.start_ns) * 1e-9;
    if (asked_.figure.empty()) return true;
    const auto figure = figure_in(printed_, asked_.figure);
    if (!figure)
      return fail(Outcome::kError, fmt::format("--figure '{}' finds no number in what the load printed: {}",
                                               asked_.figure, ending->last_words));
    result_.metrics["figure"] = *figure;
    return true;
  }

  bool settle() {
    phase_ = kSettle;
    const auto end = Clock::now() + asked_.settle;
    while (spec_.pass == "memory" && Clock::now() < end)
      if (!server_goes_on("while it settled")) return false;
    at_boundary("rss_settled_bytes");
    return true;
  }

  void at_boundary(const char* metric) {
    if (spec_.pass != "memory") return;
    result_.metrics[metric] = watch_.look(server_, phase_);
  }

  void stop(bool measured) {
    if (measured && ended_early_.empty()) {
      server_.keeper().signal_main(asked_.stop_signal);
      wake_ = server_.wait(interrupted_fd_, Clock::now() + kToStop);
      if (wake_ == TreeRun::Wake::kTimedOut) {
        const char* const name = ::sigabbrev_np(asked_.stop_signal);
        result_.notes.push_back(fmt::format("the server did not stop within {} s of SIG{} and was killed",
                                            kToStop.count(), name != nullptr ? name : "?"));
      }
    }
    const TreeEnding ending = server_.end(ended_early_.empty() ? wake_ : TreeRun::Wake::kGone);
    if (!ended_early_.empty()) {
      judge_command(spec_, ending, result_);
      if (result_.outcome == Outcome::kOk) {
        result_.outcome = Outcome::kCommandFailed;
        result_.message = fmt::format("exited with code {}", command_.exit_code);
        if (!ending.last_words.empty()) result_.message += "; it said: " + ending.last_words;
      }
      result_.message = fmt::format("the server ended {}: {}", ended_early_, result_.message);
      return;
    }
    if (result_.outcome != Outcome::kOk && result_.outcome != Outcome::kInterrupted &&
        !ending.last_words.empty())
      result_.message += "; the server said: " + ending.last_words;
    if (result_.outcome != Outcome::kOk) return;
    result_.operations = 1;
    if (spec_.pass == "memory") {
      result_.metrics["rss_peak_bytes"] = watch_.series().peak_bytes();
      result_.metrics["rss_mean_bytes"] = watch_.series().mean_bytes();
      return;
    }
    result_.metrics["cpu_seconds"] = ending.kept.user_seconds + ending.kept.system_seconds;
    result_.metrics["minor_faults"] = static_cast<double>(ending.kept.minor_faults);
    result_.metrics["major_faults"] = static_cast<double>(ending.kept.major_faults);
  }

  const TrialSpec& spec_;
  const Command& command_;
  const Server& asked_;
  int interrupted_fd_;
  TrialResult& result_;
  TreeRun server_;
  TreeWatch watch_;
  Clock::time_point deadline_;
  TreeRun::Wake wake_ = TreeRun::Wake::kTick;
  std::uint32_t phase_ = kStarting;
  std::string ended_early_, printed_;
};

}  // namespace

void run_server(const TrialSpec& spec, const Launch& launch, int interrupted_fd, TrialResult& result) {
  ServerTrial(spec, launch, interrupted_fd, result).run();
}

std::optional<double> figure_in(const std::string& text, const std::string& pattern) {
  const std::regex regex(pattern);
  std::optional<double> found;
  for (std::sregex_iterator at(text.begin(), text.end(), regex), end; at != end; ++at) {
    const std::string written = (*at)[at->size() > 1 ? 1 : 0].str();
    double value = 0;
    const auto [rest, error] = std::from_chars(written.data(), written.data() + written.size(), value);
    if (error == std::errc{} && rest == written.data() + written.size()) found = value;
  }
  return found;
}

}  // namespace heapmark::trial
