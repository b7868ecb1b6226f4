// See os_ledger.h. The stops and their order: ptrace(2), "Stopped states"; since Linux 4.8 the seccomp stop
// comes after the system call's entry, so that PTRACE_SYSCALL goes on to its exit.
#include "harness/ledger/os_ledger.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <optional>
#include <system_error>

namespace heapmark::ledger {
namespace {

constexpr int kSyscallStop = SIGTRAP | 0x80;
constexpr long kOptions = PTRACE_O_EXITKILL | PTRACE_O_TRACESECCOMP | PTRACE_O_TRACESYSGOOD |
                          PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC;

constexpr long kTreeOptions = kOptions | PTRACE_O_TRACEEXIT;

std::optional<Call> call_of(std::uint64_t number) {
  switch (number) {
    case SYS_brk:
      return Call::kBrk;
    case SYS_mmap:
      return Call::kMmap;
    case SYS_munmap:
      return Call::kMunmap;
    case SYS_mremap:
      return Call::kMremap;
    case SYS_madvise:
      return Call::kMadvise;
    default:
      return std::nullopt;
  }
}

long trace(int request, pid_t thread, std::uintptr_t address, std::uintptr_t data) {
  return ::ptrace(static_cast<__ptrace_request>(request), thread, reinterpret_cast<void*>(address),
                  reinterpret_cast<void*>(data));
}

// A thread may be killed at any time: a request to one that is gone fails with ESRCH, and its end is seen
// later.
void go_on(int request, pid_t thread, int signal) {
  (void)trace(request, thread, 0, static_cast<std::uintptr_t>(signal));
}

std::optional<__ptrace_syscall_info> syscall_info(pid_t thread) {
  __ptrace_syscall_info info{};
  const long size =
      trace(PTRACE_GET_SYSCALL_INFO, thread, sizeof info, reinterpret_cast<std::uintptr_t>(&info));
  if (size <= 0) return std::nullopt;
  return info;
}

std::uint64_t now_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

// A number of /proc/tid/status: "Tgid:", the process of a thread, or "PPid:", its parent.
pid_t status_of(pid_t thread, const std::string& key) {
  std::ifstream status("/proc/" + std::to_string(thread) + "/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(key)) return static_cast<pid_t>(std::stol(line.substr(key.size())));
  return -1;
}

int install_filter() {
  const auto stop_at = [](unsigned number) {
    return std::array<sock_filter, 2>{sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
                                      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE)};
  };
  sock_filter filter[12];
  std::size_t size = 0;
  filter[size++] = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr));
  for (const unsigned number : {SYS_brk, SYS_mmap, SYS_munmap, SYS_mremap, SYS_madvise})
    for (const sock_filter& row : stop_at(number)) filter[size++] = row;
  filter[size++] = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  const sock_fprog program{static_cast<unsigned short>(size), filter};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
  if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) return errno;
  return 0;
}

}  // namespace

int OsLedger::prepare_child() {
  if (trace(PTRACE_TRACEME, 0, 0, 0) != 0) return errno;
  ::raise(SIGSTOP);  // the parent sets its options while the child stands here
  return install_filter();
}

std::string OsLedger::forbidden() {
  static const std::string why = [] {
    const pid_t child = ::fork();
    if (child < 0) return std::string("the ledger pass cannot start a process to try ptrace on");
    if (child == 0) {
      if (trace(PTRACE_TRACEME, 0, 0, 0) != 0) ::_exit(1);
      ::_exit(install_filter() == 0 ? 0 : 2);
    }
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return std::string();
    if (WIFEXITED(status) && WEXITSTATUS(status) == 1)
      return std::string(
          "ptrace is forbidden here, which the ledger pass needs: allow it (in a container, "
          "--cap-add=SYS_PTRACE or a seccomp profile that lets ptrace through)");
    return std::string("seccomp filters are forbidden here, which the ledger pass needs");
  }();
  return why;
}

OsLedger::Tracee& OsLedger::tracee_of(pid_t thread) {
  const auto [found, is_new] = tracees_.try_emplace(thread);
  Tracee& tracee = found->second;
  if (!is_new) return tracee;
  tracee.process = thread == child_ ? child_ : status_of(thread, "Tgid:");
  tracee.is_ours = whole_tree_ || tracee.process == child_;
  if (!whole_tree_ || tree_.knows(tracee.process)) return tracee;
  tree_.starts(tracee.process, thread == child_ ? -1 : status_of(thread, "PPid:"));
  if (tree_.running() > whole_tree_->process_limit && whole_tree_->process_limit > 0) {
    hit_process_limit_ = true;
    for (const auto& [one, ignored] : tracees_) ::kill(one, SIGKILL);
  }
  return tracee;
}

void OsLedger::call_begins(pid_t thread, Tracee& tracee) {
  const auto info = syscall_info(thread);
  const auto call =
      info && info->op == PTRACE_SYSCALL_INFO_SECCOMP ? call_of(info->seccomp.nr) : std::nullopt;
  if (!call || !tracee.is_ours || (whole_tree_ && !tree_.knows(tracee.process))) {
    go_on(PTRACE_CONT, thread, 0);
    return;
  }
  tracee.in_call = true;
  tracee.pending.call.call = *call;
  for (std::size_t at = 0; at < 6; ++at) tracee.pending.call.args[at] = info->seccomp.args[at];
  if (whole_tree_) {
    tracee.pending.taken_out = tree_.of(tracee.process).begins(tracee.pending.call);
    tracee.pending.counts = has_run_;
  } else {
    tracee.pending.taken_out = calls_.begins(tracee.pending.call);
    tracee.pending.counts =
        static_cast<Stage>(report_->stage.load(std::memory_order_acquire)) == Stage::kWorkload;
    tracee.pending.phase = report_->phase.load(std::memory_order_relaxed);
    // Not before the workload: an allocator may ask at its start how many CPUs there are.
    if (tracee.pending.counts && tracees_.size() == 1) shared_cpu_.begin(thread);
  }
  go_on(PTRACE_SYSCALL, thread, 0);
}

void OsLedger::call_ends(pid_t thread, Tracee& tracee) {
  tracee.in_call = false;
  const bool known = !whole_tree_ || tree_.knows(tracee.process);
  if (const auto info = syscall_info(thread); known && info && info->op == PTRACE_SYSCALL_INFO_EXIT) {
    const std::uint64_t now = now_ns();
    if (tracee.pending.counts && first_ns_ == 0) first_ns_ = now;
    KernelCalls& calls = whole_tree_ ? tree_.of(tracee.process) : calls_;
    calls.ends(tracee.pending.call, tracee.pending.taken_out, info->exit.is_error != 0,
               static_cast<std::uint64_t>(info->exit.rval), tracee.pending.counts, now - first_ns_,
               tracee.pending.phase);
    if (whole_tree_) tree_.settle();
  }
  go_on(PTRACE_CONT, thread, 0);
}

// A second thread or process: from now on each runs where it may. Before the first goes on, since what it
// starts next would begin on the one CPU too.
void OsLedger::starts_another(pid_t thread) {
  if (!shared_cpu_.is_on()) return;
  unsigned long started = 0;
  if (trace(PTRACE_GETEVENTMSG, thread, 0, reinterpret_cast<std::uintptr_t>(&started)) == 0)
    shared_cpu_.release(static_cast<pid_t>(started));
  shared_cpu_.end();
}

// The thread now has the number of its process, whatever it had before (ptrace(2), PTRACE_EVENT_EXEC).
void OsLedger::becomes_another_program(pid_t thread, Tracee& tracee) {
  tracee.in_call = false;
  if (!whole_tree_) return;
  has_run_ = true;
  tree_.becomes_another_program(thread);
}

void OsLedger::is_about_to_end(pid_t thread, const Tracee& tracee) {
  if (whole_tree_ && has_run_ && whole_tree_->before_end && thread == tracee.process)
    whole_tree_->before_end(thread);
}

// A process that the child forked may outlive it; it would be taken for the next trial's.
void OsLedger::end_what_is_left() const {
  for (const auto& [thread, tracee] : tracees_) ::kill(thread, SIGKILL);
  for (;;) {
    int status = 0;
    const pid_t thread = ::waitpid(-1, &status, __WALL | __WNOTHREAD);
    if (thread < 0 && errno != EINTR) return;
    if (thread > 0 && WIFSTOPPED(status)) ::kill(thread, SIGKILL);
  }
}

int OsLedger::follow(pid_t child) {
  child_ = child;
  for (;;) {
    int status = 0;
    const pid_t thread = ::waitpid(-1, &status, __WALL | __WNOTHREAD);
    if (thread < 0 && errno == EINTR) continue;
    if (thread < 0) throw std::system_error(errno, std::generic_category(), "following the measured process");
    if (WIFEXITED(status) || WIFSIGNALED(status)) {
      tracees_.erase(thread);
      if (whole_tree_) tree_.ends(thread);  // of a thread: not known there
      if (thread != child_) continue;
      shared_cpu_.end_without_followed();
      end_what_is_left();
      return status;
    }
    Tracee& tracee = tracee_of(thread);
    const int signal = WSTOPSIG(status), event = status >> 16;
    if (event == PTRACE_EVENT_SECCOMP) {
      call_begins(thread, tracee);
    } else if (signal == kSyscallStop) {
      call_ends(thread, tracee);
    } else if (event == PTRACE_EVENT_EXEC) {
      becomes_another_program(thread, tracee);
      go_on(PTRACE_CONT, thread, 0);
    } else if (event == PTRACE_EVENT_EXIT) {
      is_about_to_end(thread, tracee);
      go_on(PTRACE_CONT, thread, 0);
    } else if (event != 0) {
      if (event == PTRACE_EVENT_CLONE || event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK)
        starts_another(thread);
      go_on(tracee.in_call ? PTRACE_SYSCALL : PTRACE_CONT, thread, 0);
    } else if (signal == SIGSTOP && !tracee.has_started) {
      // The stop that every new tracee begins with: the child's own raise(), or the kernel's for a new
      // thread. A child that was killed while it stood here is gone (ESRCH): its end is what comes next.
      if (thread == child_ &&
          trace(PTRACE_SETOPTIONS, thread, 0, whole_tree_ ? kTreeOptions : kOptions) != 0 && errno != ESRCH)
        throw std::system_error(errno, std::generic_category(), "setting ptrace options");
      tracee.has_started = true;
      go_on(PTRACE_CONT, thread, 0);
    } else {
      go_on(tracee.in_call ? PTRACE_SYSCALL : PTRACE_CONT, thread, signal);
    }
  }
}

namespace {

template <typename Books>
std::map<std::string, double> metrics_of(const Books& books) {
  std::map<std::string, double> all;
  const auto add = [&](const char* name, std::uint64_t value) { all[name] = static_cast<double>(value); };
  const Tally grow = books.tally(EventKind::kBrkGrow);
  const Tally trim = books.tally(EventKind::kTrim);
  add("trims", trim.count);
  add("trim_bytes", trim.bytes);
  add("purges", books.tally(EventKind::kPurge).count);
  add("purge_bytes", books.tally(EventKind::kPurge).bytes);
  add("releases", books.tally(EventKind::kRelease).count);
  add("release_bytes", books.tally(EventKind::kRelease).bytes);
  add("brk_grows", grow.count);
  add("brk_grow_bytes", grow.bytes);
  add("brk_calls", grow.count + trim.count);
  add("mmap_calls", books.tally(EventKind::kMmap).count);
  add("mmap_bytes", books.tally(EventKind::kMmap).bytes);
  add("mremap_calls", books.tally(EventKind::kMremap).count);
  const std::pair<Call, const char*> refused[] = {{Call::kBrk, "brk_refused"},
                                                  {Call::kMmap, "mmap_refused"},
                                                  {Call::kMunmap, "munmap_refused"},
                                                  {Call::kMremap, "mremap_refused"},
                                                  {Call::kMadvise, "madvise_refused"}};
  static_assert(std::size(refused) == kCallKinds);
  std::uint64_t made = 0;
  for (const auto& [call, name] : refused) {
    add(name, books.refused(call));
    made += books.made(call);
  }
  add("kernel_calls", made);
  add("mapped_peak_bytes", books.mapped_peak_bytes());
  all["mapped_end_bytes"] = static_cast<double>(books.mapped_end_bytes());
  return all;
}

}  // namespace

std::map<std::string, double> OsLedger::metrics() const {
  return whole_tree_ ? metrics_of(tree_) : metrics_of(calls_);
}

}  // namespace heapmark::ledger
