// See process_executor.h.
#include "harness/trial/process_executor.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <optional>
#include <system_error>
#include <thread>

#include "harness/ledger/os_ledger.h"
#include "harness/machine/oom_kills.h"
#include "harness/trial/command_run.h"
#include "harness/trial/command_session.h"
#include "harness/trial/ledger_result.h"
#include "harness/trial/pressure.h"
#include "harness/trial/report_reader.h"
#include "harness/trial/session.h"

namespace heapmark::trial {
namespace {

using Clock = std::chrono::steady_clock;

enum class Stop { kChildEnded, kTimedOut, kInterrupted };

// Sleeps until `ended` becomes readable, the deadline has passed or the tool is interrupted. Looks after the
// cgroup of the process, where it has one.
Stop wait_for(int ended, int interrupted, Clock::time_point deadline, MemoryCgroup* cgroup = nullptr) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return Stop::kTimedOut;
    pollfd fds[] = {{ended, POLLIN, 0},
                    {interrupted, POLLIN, 0},
                    {cgroup != nullptr ? cgroup->out_of_memory() : -1, POLLIN, 0}};
    const int ready = ::poll(fds, std::size(fds), static_cast<int>(left));
    if (ready < 0 && errno != EINTR) return Stop::kInterrupted;
    if (ready <= 0) continue;
    if (fds[1].revents != 0) return Stop::kInterrupted;
    if (fds[0].revents != 0) return Stop::kChildEnded;
    if (cgroup != nullptr) cgroup->relieve();
  }
}

void mark(Stop stop, Ending& ending) {
  ending.timed_out = stop == Stop::kTimedOut;
  ending.interrupted = stop == Stop::kInterrupted;
}

Ending run_plainly(const Child& child, int interrupted, Clock::time_point deadline, MemoryCgroup* cgroup) {
  const Descriptor ended(static_cast<int>(::syscall(SYS_pidfd_open, child.pid, 0)));
  if (ended.get() < 0)
    throw std::system_error(errno, std::generic_category(), "watching the measured process");
  Ending ending;
  mark(wait_for(ended.get(), interrupted, deadline, cgroup), ending);
  kill_all_of(child);
  rusage used{};
  while (::wait4(child.pid, &ending.wait_status, 0, &used) < 0 && errno == EINTR) {
  }
  ending.max_rss_bytes = static_cast<std::uint64_t>(used.ru_maxrss) * 1024;
  return ending;
}

// The ledger's thread is this one, as ptrace demands; a second thread keeps the time.
Ending run_traced(const Child& child, int interrupted, Clock::time_point deadline, ledger::OsLedger& ledger) {
  Ending ending;
  const Descriptor ended(::eventfd(0, EFD_CLOEXEC));
  std::thread watch([&] {
    const Stop stop = wait_for(ended.get(), interrupted, deadline);
    mark(stop, ending);
    if (stop != Stop::kChildEnded) kill_all_of(child);
  });
  try {
    ending.wait_status = ledger.follow(child.pid);
  } catch (...) {
    kill_all_of(child);
    ::eventfd_write(ended.get(), 1);
    watch.join();
    throw;
  }
  ::eventfd_write(ended.get(), 1);
  watch.join();
  return ending;
}

}  // namespace

ProcessExecutor::ProcessExecutor(std::string host_program)
    : host_program_(std::move(host_program)), interrupted_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (interrupted_.get() < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
}

ProcessExecutor::~ProcessExecutor() = default;

void ProcessExecutor::interrupt() noexcept {
  const int error = errno;
  ::eventfd_write(interrupted_.get(), 1);
  errno = error;
}

std::vector<TrialResult> ProcessExecutor::run_session(const std::vector<TrialSpec>& specs) {
  if (specs.front().command) return run_command_session(specs, interrupted_.get());
  return trial::run_session(host_program_, specs, interrupted_.get());
}

TrialResult ProcessExecutor::run(const TrialSpec& spec) {
  if (spec.command) return run_command(spec, interrupted_.get());
  if (spec.pass != "pressure") return run_process(spec, nullptr);
  if (!pressure_) pressure_ = std::make_unique<Pressure>(swap_);
  return pressure_->run(
      spec, [this](const TrialSpec& one, MemoryCgroup& cgroup) { return run_process(one, &cgroup); });
}

// Program and libraries that are not in the page cache yet would be major faults of the first trial, and be
// charged to its cgroup. What cannot be read is left to the trial, which says so.
void ProcessExecutor::cache_files_of(const TrialSpec& spec) {
  for (const std::string& path : {host_program_, spec.preload, spec.library}) {
    if (path.empty() || !cached_.insert(path).second) continue;
    std::ifstream file(path, std::ios::binary);
    std::array<char, 65536> piece;
    while (file.read(piece.data(), piece.size())) {
    }
  }
}

TrialResult ProcessExecutor::run_process(const TrialSpec& spec, MemoryCgroup* cgroup) {
  cache_files_of(spec);
  TrialResult result;
  result.started = now_utc();
  result.environment_padding = padding_for(spec);
  const SharedReport report;
  std::optional<ledger::OsLedger> ledger;
  if (spec.pass == "ledger") {
    if (const std::string forbidden = ledger::OsLedger::forbidden(); !forbidden.empty()) {
      result.outcome = Outcome::kRefused;
      result.message = forbidden;
      return result;
    }
    ledger.emplace(report.get());
  }
  const auto start = Clock::now();
  const machine::OomCounters oom_before = machine::read_oom_counters();
  const Child child = start_child(host_program_, spec, report.fd(), result.environment_padding,
                                  ledger   ? &ledger::OsLedger::prepare_child
                                  : cgroup ? &MemoryCgroup::join
                                           : nullptr);
  const auto deadline = start + spec.timeout;
  Ending ending = ledger ? run_traced(child, interrupted_.get(), deadline, *ledger)
                         : run_plainly(child, interrupted_.get(), deadline, cgroup);
  result.wall_seconds = std::chrono::duration<double>(Clock::now() - start).count();
  result.max_rss_bytes = ending.max_rss_bytes;
  ending.oom_kill = machine::oom_kill_between(oom_before, machine::read_oom_counters());
  if (cgroup != nullptr && cgroup->oom_kills() > 0) ending.oom_kill = machine::OomKill::kCgroupLimit;
  read_report(report.get(), result);
  judge_ending(report.get(), ending, spec.timeout, last_words(child.standard_error), result);
  if (result.outcome == Outcome::kOk && !report.get().message[0]) result.message.clear();
  if (ledger) add_ledger(*ledger, result);
  return result;
}

}  // namespace heapmark::trial
