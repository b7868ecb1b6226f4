// See command_ledger.h.
#include "harness/trial/command_ledger.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <system_error>
#include <thread>

#include "harness/ledger/os_ledger.h"
#include "harness/trial/command_judge.h"
#include "harness/trial/drain.h"
#include "harness/trial/ledger_result.h"

namespace heapmark::trial {
namespace {

using Clock = std::chrono::steady_clock;

// Reads what the command prints and keeps the time, while the thread that started it follows it.
class Watcher {
 public:
  Watcher(pid_t child, Drain& output, Drain& error, int interrupted_fd, Clock::time_point deadline)
      : output_(output),
        error_(error),
        ended_(::eventfd(0, EFD_CLOEXEC)),
        thread_([=, this] { watch(child, interrupted_fd, deadline); }) {}
  ~Watcher() { stop(); }
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  void stop() {
    if (!thread_.joinable()) return;
    ::eventfd_write(ended_.get(), 1);
    thread_.join();
  }
  bool timed_out = false, interrupted = false;  // to be read after stop()

 private:
  void watch(pid_t child, int interrupted_fd, Clock::time_point deadline) {
    bool killed = false;
    for (;;) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
      pollfd fds[] = {{ended_.get(), POLLIN, 0},
                      {killed ? -1 : interrupted_fd, POLLIN, 0},
                      {output_.is_over() ? -1 : output_.fd(), POLLIN, 0},
                      {error_.is_over() ? -1 : error_.fd(), POLLIN, 0}};
      const int ready = left > 0 || killed ? ::poll(fds, 4, killed ? -1 : static_cast<int>(left)) : 0;
      if (ready < 0) continue;
      if (fds[2].revents != 0) output_.read_what_is_there();
      if (fds[3].revents != 0) error_.read_what_is_there();
      if (fds[0].revents != 0) return;
      interrupted |= !killed && fds[1].revents != 0;
      timed_out |= !killed && !interrupted && Clock::now() >= deadline;
      if (!killed && (interrupted || timed_out)) {
        killed = true;
        ::kill(-child, SIGKILL);  // with the first process the ledger ends all others
      }
    }
  }

  Drain& output_;
  Drain& error_;
  Descriptor ended_;
  std::thread thread_;
};

void drain_the_rest(Drain& drain) {
  for (std::uint64_t before = ~0ULL; !drain.is_over() && drain.bytes() != before;) {
    before = drain.bytes();
    drain.read_what_is_there();
  }
}

}  // namespace

void run_command_ledger(const TrialSpec& spec, Launch launch, int interrupted_fd, TrialResult& result) {
  if (const std::string forbidden = ledger::OsLedger::forbidden(); !forbidden.empty()) {
    result.outcome = Outcome::kRefused;
    result.message = forbidden;
    return;
  }
  const auto start = Clock::now();
  const std::string input = spec.command->input.empty() ? "/dev/null" : spec.command->input;
  const Descriptor in(::open(input.c_str(), O_RDONLY | O_CLOEXEC));
  if (in.get() < 0) throw std::system_error(errno, std::generic_category(), "--input " + input);
  Drain output(kKeptOutputBytes), error(kKeptErrorBytes);
  launch.standard_input = in.get();
  launch.standard_output = output.writer();
  launch.standard_error = error.writer();
  launch.process_limit = 0;  // the ledger counts them itself
  const SharedKept kept;
  ProofBook proofs(spec.preload, spec.library);
  ledger::OsLedger ledger(
      {spec.command->process_limit, [&](pid_t process) { (void)proofs.judge(look_at(process)); }});
  const machine::OomCounters oom_before = machine::read_oom_counters();
  const pid_t child = ::fork();
  if (child < 0) throw std::system_error(errno, std::generic_category(), "starting the command");
  if (child == 0) become(launch, TreeCgroup(), kept.get(), &ledger::OsLedger::prepare_child);
  ::setpgid(child, child);
  output.close_writer();
  error.close_writer();
  TreeEnding ending;
  {
    Watcher watcher(child, output, error, interrupted_fd, start + spec.timeout);
    try {
      kept.get().wait_status = ledger.follow(child);
    } catch (...) {
      ::kill(-child, SIGKILL);
      throw;
    }
    watcher.stop();
    ending.timed_out = watcher.timed_out;
    ending.interrupted = watcher.interrupted;
  }
  drain_the_rest(output);
  drain_the_rest(error);
  kept.get().ended = kept.get().gone = true;
  kept.get().forks_refused = ledger.hit_process_limit() ? 1 : 0;
  ending.kept = kept.get();
  ending.oom_kill = machine::oom_kill_between(oom_before, machine::read_oom_counters());
  ending.last_words = error.bytes() > 0 ? error.last_words() : output.last_words();
  judge_command(spec, ending, result);
  judge_proofs(spec, proofs, result);
  result.wall_seconds = std::chrono::duration<double>(Clock::now() - start).count();
  add_ledger(ledger, result);
  if (result.outcome != Outcome::kOk) return;
  result.output = Output{output.hash(), output.bytes()};
  result.operations = 1;
}

}  // namespace heapmark::trial
