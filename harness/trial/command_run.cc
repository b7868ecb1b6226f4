// See command_run.h.
#include "harness/trial/command_run.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>

#include "harness/trial/child.h"
#include "harness/trial/command_judge.h"
#include "harness/trial/command_ledger.h"
#include "harness/trial/server_run.h"
#include "harness/trial/tree_run.h"
#include "harness/trial/tree_watch.h"

namespace heapmark::trial {
namespace {

void set(std::vector<std::string>& environment, const std::string& name, const std::string& value) {
  const std::string start = name + "=";
  std::erase_if(environment, [&](const std::string& one) { return one.starts_with(start); });
  environment.push_back(start + value);
}

void add_speed(const Kept& kept, TrialResult& result) {
  result.metrics["wall_seconds"] = static_cast<double>(kept.end_ns - kept.start_ns) * 1e-9;
  result.metrics["cpu_seconds"] = kept.user_seconds + kept.system_seconds;
  result.metrics["user_seconds"] = kept.user_seconds;
  result.metrics["system_seconds"] = kept.system_seconds;
  result.metrics["minor_faults"] = static_cast<double>(kept.minor_faults);
  result.metrics["major_faults"] = static_cast<double>(kept.major_faults);
}

void add_memory(const MemorySeries& series, TrialResult& result) {
  result.metrics["rss_peak_bytes"] = series.peak_bytes();
  result.metrics["rss_mean_bytes"] = series.mean_bytes();
  result.metrics["rss_end_bytes"] = series.last_bytes();
}

}  // namespace

bool prepare_command(const TrialSpec& spec, int interrupted_fd, TrialResult& result) {
  const Command& command = *spec.command;
  if (command.prepare.empty()) return true;
  Launch launch;
  launch.words = {"/bin/sh", "-c", command.prepare};
  for (char** one = environ; *one != nullptr; ++one) launch.environment.emplace_back(*one);
  launch.directory = command.directory;
  TreeRun run(launch, "", command.process_limit);
  const TreeEnding ending = run.end(run.wait(interrupted_fd, TreeRun::Clock::now() + spec.timeout));
  result.message = ending_words(ending, launch.words, command.directory, 0);
  if (ending.timed_out) result.message = fmt::format("killed after {} s", spec.timeout.count());
  if (ending.interrupted) result.outcome = Outcome::kInterrupted;
  if (!ending.interrupted && !result.message.empty()) {
    result.outcome = Outcome::kCommandFailed;
    result.message = fmt::format("--prepare '{}': {}", command.prepare, result.message);
  }
  return !ending.interrupted && result.message.empty();
}

std::vector<std::string> command_environment(const TrialSpec& spec, std::size_t padding) {
  std::vector<std::string> environment;
  std::string preloaded;
  for (char** one = environ; *one != nullptr; ++one) environment.emplace_back(*one);
  for (const auto& [name, value] : spec.command->environment) set(environment, name, value);
  for (const std::string& one : environment)
    if (one.starts_with("LD_PRELOAD=")) preloaded = one.substr(11);
  for (const auto& [name, value] : spec.environment) set(environment, name, value);
  set(environment, "LD_PRELOAD", preloaded.empty() ? spec.preload : spec.preload + ":" + preloaded);
  set(environment, "HEAPMARK_PADDING", std::string(padding, 'x'));
  return environment;
}

Launch command_launch(const TrialSpec& spec, std::size_t padding) {
  Launch launch;
  launch.words = spec.command->words;
  launch.environment = command_environment(spec, padding);
  launch.directory = spec.command->directory;
  launch.process_limit = spec.command->process_limit;
  return launch;
}

void finish_command(const TrialSpec& spec, const TreeRun& run, const TreeEnding& ending,
                    const ProofBook& proofs, TrialResult& result) {
  judge_command(spec, ending, result);
  judge_proofs(spec, proofs, result);
  if (result.outcome != Outcome::kOk) return;
  result.output = Output{run.output().hash(), run.output().bytes()};
  result.operations = 1;
  if (spec.pass == "speed") add_speed(ending.kept, result);
}

TrialResult run_command(const TrialSpec& spec, int interrupted_fd) {
  TrialResult result;
  const auto start = TreeRun::Clock::now();
  result.started = now_utc();
  result.environment_padding = padding_for(spec);
  if (!prepare_command(spec, interrupted_fd, result)) return result;
  const Launch launch = command_launch(spec, result.environment_padding);
  try {
    if (spec.pass == "ledger") {
      run_command_ledger(spec, launch, interrupted_fd, result);
      return result;
    }
    if (spec.command->server) {
      run_server(spec, launch, interrupted_fd, result);
      result.wall_seconds = std::chrono::duration<double>(TreeRun::Clock::now() - start).count();
      return result;
    }
    TreeRun run(launch, spec.command->input, launch.process_limit);
    TreeWatch watch(spec, spec.pass == "memory" ? TreeWatch::What::kMemoryToo : TreeWatch::What::kProofAlone);
    const auto deadline = TreeRun::Clock::now() + spec.timeout;
    TreeRun::Wake wake{};
    while ((wake = run.wait(interrupted_fd, deadline, watch.next())) == TreeRun::Wake::kTick)
      (void)watch.look(run);
    watch.add_to(result);
    finish_command(spec, run, run.end(wake), watch.proofs(), result);
    result.wall_seconds = std::chrono::duration<double>(TreeRun::Clock::now() - start).count();
    if (spec.pass == "memory" && result.outcome == Outcome::kOk) add_memory(watch.series(), result);
  } catch (const std::system_error& error) {
    result.outcome = Outcome::kNotStarted;
    result.message = error.what();
  }
  return result;
}

}  // namespace heapmark::trial
