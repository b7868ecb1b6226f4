// See recorded_run.h.
#include "harness/cli/recorded_run.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>

#include "harness/cli/terminal.h"

namespace heapmark::cli {
namespace {

using Clock = std::chrono::steady_clock;
using trace::RawReason;
using trace::RawState;

constexpr auto kLook = std::chrono::milliseconds(200);  // how often the control page is looked at

// The signals that the tool takes itself, blocked; what was blocked before is what the program gets.
class OwnSignals {
 public:
  explicit OwnSignals(int toggle) {
    ::sigemptyset(&own_);
    for (const int one : {SIGCHLD, SIGINT, SIGQUIT, SIGTERM, SIGHUP}) ::sigaddset(&own_, one);
    if (toggle != 0) ::sigaddset(&own_, toggle);
    ::signal(SIGCHLD, SIG_DFL);  // ignored, the program's end would not be told
    ::sigprocmask(SIG_BLOCK, &own_, &before_);
  }
  ~OwnSignals() { give_back(); }
  OwnSignals(const OwnSignals&) = delete;
  OwnSignals& operator=(const OwnSignals&) = delete;
  void give_back() const { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }
  // 0 where none came in that time.
  [[nodiscard]] int wait(std::chrono::milliseconds time) const {
    timespec limit{};
    limit.tv_sec = time.count() / 1000;
    limit.tv_nsec = time.count() % 1000 * 1'000'000;
    const int signal = ::sigtimedwait(&own_, nullptr, &limit);
    return signal < 0 ? 0 : signal;
  }

 private:
  sigset_t own_{}, before_{};
};

[[noreturn]] void become(const RecordedProgram& program, const OwnSignals& signals, int errors) {
  for (const auto& [name, value] : program.environment) ::setenv(name.c_str(), value.c_str(), 1);
  std::vector<char*> arguments;
  for (const std::string& word : program.words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  signals.give_back();
  ::execvp(arguments[0], arguments.data());
  const int error = errno;
  (void)!::write(errors, &error, sizeof error);
  ::_exit(127);
}

// Starts it; `start_error` says where it never became the program.
pid_t start(const RecordedProgram& program, const OwnSignals& signals, int& start_error) {
  int errors[2];
  if (::pipe2(errors, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  const pid_t child = ::fork();
  if (child < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (child == 0) become(program, signals, errors[1]);
  ::close(errors[1]);
  if (::read(errors[0], &start_error, sizeof start_error) != static_cast<ssize_t>(sizeof start_error))
    start_error = 0;
  ::close(errors[0]);
  return child;
}

class Watch {
 public:
  Watch(const trace::RawRecording& recording, const RecordedProgram& program, pid_t main)
      : recording_(recording), program_(program), main_(main) {}

  void until_all_have_ended(const OwnSignals& signals) {
    while (reap()) {
      const int signal = signals.wait(kLook);
      if (signal == SIGTERM || signal == SIGHUP || signal == SIGINT) {
        if (main_ended_) break;
        if (signal != SIGINT) ::kill(main_, signal);
      }
      if (signal != 0 && signal == program_.signal) toggle();
      look_at_time();
      if (recording_.control().state == RawState::kEnded) {
        if (main_ended_) break;
        tell_that_it_goes_on();
      }
    }
  }

  // Sets what is known of the program's end.
  void tell(RecordedEnd& end) const {
    const auto seconds = [](const timeval& time) {
      return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    end.wait_status = status_;
    end.elapsed_seconds = std::chrono::duration<double>(ended_ - started_).count();
    end.cpu_seconds = seconds(usage_.ru_utime) + seconds(usage_.ru_stime);
  }

 private:
  // False once no process is left.
  bool reap() {
    for (;;) {
      int status = 0;
      rusage usage{};
      const pid_t ended = ::wait4(-1, &status, WNOHANG, &usage);
      if (ended < 0) return false;
      if (ended == 0) break;
      if (ended != main_) continue;
      main_ended_ = true;
      status_ = status;
      usage_ = usage;
      ended_ = Clock::now();
    }
    if (main_ended_ && !said_ && recording_.control().state == RawState::kOn) {
      said_ = true;
      warn("the program has ended; what it left behind still runs and is recorded: Ctrl-C ends that");
    }
    return true;
  }

  void tell_that_it_goes_on() {
    if (told_end_) return;
    told_end_ = true;
    if (program_.goes_on) program_.goes_on();
  }

  void toggle() {
    RawState waiting = RawState::kWaiting;
    if (!recording_.control().state.compare_exchange_strong(waiting, RawState::kOn) &&
        waiting == RawState::kOn)
      recording_.end(RawReason::kSignal);
  }

  void look_at_time() {
    const RawState state = recording_.control().state;
    if (state != RawState::kOn) return;
    if (!was_on_) on_since_ = Clock::now();
    was_on_ = true;
    if (program_.record_for && Clock::now() - on_since_ >= *program_.record_for)
      recording_.end(RawReason::kTime);
  }

  const trace::RawRecording& recording_;
  const RecordedProgram& program_;
  pid_t main_;
  int status_ = 0;
  rusage usage_{};
  Clock::time_point started_ = Clock::now(), ended_ = started_;
  bool main_ended_ = false, said_ = false, told_end_ = false, was_on_ = false;
  Clock::time_point on_since_;
};

}  // namespace

RecordedEnd run_recorded(const trace::RawRecording& recording, const RecordedProgram& program) {
  // What the program leaves behind becomes a child of this process.
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  const OwnSignals signals(program.signal);
  RecordedEnd end;
  end.pid = start(program, signals, end.start_error);
  recording.control().main_pid = end.pid;
  if (end.start_error != 0) {
    ::waitpid(end.pid, nullptr, 0);
    return end;
  }
  if (program.signal != 0) {
    const std::string name = ::sigabbrev_np(program.signal);
    warn("recording begins with kill -" + name + " " + std::to_string(end.pid) + " and ends with the second");
  }
  Watch watch(recording, program, end.pid);
  watch.until_all_have_ended(signals);
  watch.tell(end);
  recording.end(RawReason::kNone);
  recording.note_end();
  return end;
}

}  // namespace heapmark::cli
