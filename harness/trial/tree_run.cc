// See tree_run.h.
#include "harness/trial/tree_run.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace heapmark::trial {
namespace {

std::string cgroup_name() {
  static std::atomic<unsigned> number{0};
  return fmt::format("heapmark-{}-{}", ::getpid(), number++);
}

Launch with_pipes(Launch launch, int input, const Drain& output, const Drain& error) {
  launch.standard_input = input;
  launch.standard_output = output.writer();
  launch.standard_error = error.writer();
  return launch;
}

Descriptor opened(const std::string& input) {
  Descriptor fd(::open(input.empty() ? "/dev/null" : input.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) throw std::system_error(errno, std::generic_category(), "--input " + input);
  return fd;
}

std::string signal_name(int signal) {
  const char* const name = ::sigabbrev_np(signal);
  return name != nullptr ? "SIG" + std::string(name) : std::to_string(signal);
}

std::string start_words(const Kept& kept, const std::vector<std::string>& words,
                        const std::string& directory) {
  const std::string why = std::strerror(kept.start_error);
  if (kept.at_directory) return fmt::format("--cwd {}: {}", directory, why);
  const std::string& program = words.front();
  if (kept.start_error != ENOENT) return fmt::format("{} cannot be run: {}", program, why);
  if (program.find('/') == std::string::npos)
    return fmt::format("{}: no such command in PATH: give the path of the program", program);
  if (::access(program.c_str(), F_OK) == 0)
    return fmt::format("{} cannot be run: the interpreter or loader that it names does not exist", program);
  return fmt::format("{}: no such file", program);
}

}  // namespace

TreeRun::TreeRun(Launch launch, const std::string& input, unsigned process_limit)
    : input_(opened(input)),
      cgroup_{TreeCgroup::make(cgroup_name(), process_limit)},
      oom_before_(machine::read_oom_counters()),
      output_(kKeptOutputBytes),
      error_(kKeptErrorBytes),
      keeper_(with_pipes(std::move(launch), input_.get(), output_, error_), cgroup_.made) {
  output_.close_writer();
  error_.close_writer();
}

TreeRun::Wake TreeRun::wait(int interrupted_fd, Clock::time_point deadline,
                            std::optional<Clock::time_point> tick) {
  for (;;) {
    const auto now = Clock::now();
    if (now >= deadline) return Wake::kTimedOut;
    if (tick && now >= *tick) return Wake::kTick;
    const auto until = tick ? std::min(*tick, deadline) : deadline;
    const auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(until - now).count();
    const timespec timeout{left / 1'000'000'000, left % 1'000'000'000};
    pollfd fds[] = {{keeper_.event_fd(), POLLIN, 0},
                    {interrupted_fd, POLLIN, 0},
                    {output_.is_over() ? -1 : output_.fd(), POLLIN, 0},
                    {error_.is_over() ? -1 : error_.fd(), POLLIN, 0}};
    if (::ppoll(fds, 4, &timeout, nullptr) < 0) continue;
    if (fds[2].revents != 0) output_.read_what_is_there();
    if (fds[3].revents != 0) error_.read_what_is_there();
    if (fds[0].revents != 0) return Wake::kGone;
    if (fds[1].revents != 0) return Wake::kInterrupted;
  }
}

TreeEnding TreeRun::end(Wake wake) {
  TreeEnding ending;
  ending.timed_out = wake == Wake::kTimedOut;
  ending.interrupted = wake == Wake::kInterrupted;
  ending.stopped = wake == Wake::kTick;
  if (wake != Wake::kGone) {
    keeper_.end_all();
    // It may stand in a write to us.
    pollfd gone{keeper_.event_fd(), POLLIN, 0};
    while (::poll(&gone, 1, 10) <= 0) {
      output_.read_what_is_there();
      error_.read_what_is_there();
    }
  }
  // All writers are gone: at most a pipe full is left.
  for (Drain* drain : {&output_, &error_})
    for (std::uint64_t before = ~0ULL; !drain->is_over() && drain->bytes() != before;) {
      before = drain->bytes();
      drain->read_what_is_there();
    }
  std::memcpy(&ending.kept, const_cast<const Kept*>(&keeper_.kept()), sizeof(Kept));
  machine::OomCounters oom_after = machine::read_oom_counters();
  // Version 1 counts a kill in the victim's own cgroup alone, which is gone by now.
  oom_after.kills = std::max(oom_after.kills, oom_before_.kills + ending.kept.oom_kills);
  ending.oom_kill = machine::oom_kill_between(oom_before_, oom_after);
  ending.last_words = error_.bytes() > 0 ? error_.last_words() : output_.last_words();
  return ending;
}

std::string ending_words(const TreeEnding& ending, const std::vector<std::string>& words,
                         const std::string& directory, int exit_code) {
  const Kept& kept = ending.kept;
  std::string text;
  if (kept.start_error != 0) return start_words(kept, words, directory);
  if (!kept.gone) return "the keeper of its processes was killed";
  if (WIFSIGNALED(kept.wait_status))
    text = "killed by " + signal_name(WTERMSIG(kept.wait_status));
  else if (const int code = WEXITSTATUS(kept.wait_status); code != exit_code)
    text = fmt::format("exited with code {}", code);
  else
    return "";
  if (!ending.last_words.empty()) text += "; it said: " + ending.last_words;
  return text;
}

}  // namespace heapmark::trial
