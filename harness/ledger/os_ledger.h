// The ledger pass: follows a child and writes down every brk, mmap, munmap, mremap and madvise it makes, with
// no privilege. A seccomp filter stops the child at these five calls alone (SECCOMP_RET_TRACE, seccomp(2)),
// ptrace tells the arguments and the result; all other calls run at full speed. Threads are followed and
// counted; forked children are followed, so that they can run, and not counted: they are no part of the
// measured process. Counted is what begins while the report says that the workload runs.
//
// Of a command, which has no report, all is counted from its exec on, in all its processes (tree_books.h).
#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "harness/ledger/kernel_calls.h"
#include "harness/ledger/shared_cpu.h"
#include "harness/ledger/tree_books.h"
#include "workloads/contract/report.h"

namespace heapmark::ledger {

class OsLedger {
 public:
  explicit OsLedger(const Report& report) : report_(&report) {}

  struct Tree {
    unsigned process_limit = 0;             // beyond it the whole tree is ended
    std::function<void(pid_t)> before_end;  // called while a process that is about to end stands still
  };
  // For a command. There must be no other OsLedger that follows at the same time.
  explicit OsLedger(Tree tree) : whole_tree_(std::move(tree)) {}

  // Why this machine cannot have a ledger ("ptrace is forbidden here: ..."), or "". Tried once, not guessed.
  [[nodiscard]] static std::string forbidden();

  // In the child, before exec: lets the parent trace it and installs the filter. 0 or an errno.
  static int prepare_child();

  // Follows the child until it ends, and ends what it leaves behind; returns its wait status. Must run in the
  // thread that started it, which must have no other children.
  [[nodiscard]] int follow(pid_t child);

  // The figures of kLedgerMetrics, by name.
  [[nodiscard]] std::map<std::string, double> metrics() const;

  // Every call that changed something, in order; calls beyond KernelCalls::kMaxEvents are counted as dropped.
  [[nodiscard]] std::vector<Event> events() const { return whole_tree_ ? tree_.events() : calls_.events(); }
  [[nodiscard]] std::uint64_t dropped_events() const {
    return whole_tree_ ? tree_.dropped_events() : calls_.dropped_events();
  }
  [[nodiscard]] bool hit_process_limit() const { return hit_process_limit_; }
  [[nodiscard]] bool has_run() const { return has_run_; }  // of a command: its exec was seen

 private:
  struct Pending {
    KernelCall call{};
    KernelCalls::TakenOut taken_out;
    bool counts = false;
    std::uint32_t phase = 0;
  };
  struct Tracee {
    pid_t process = -1;        // that the thread belongs to
    bool is_ours = false;      // a thread of the measured process, or of the tree
    bool has_started = false;  // its first stop was let go
    bool in_call = false;
    Pending pending{};
  };

  void end_what_is_left() const;
  void call_begins(pid_t thread, Tracee& tracee);
  void call_ends(pid_t thread, Tracee& tracee);
  Tracee& tracee_of(pid_t thread);

  void starts_another(pid_t thread);
  void becomes_another_program(pid_t thread, Tracee& tracee);
  void is_about_to_end(pid_t thread, const Tracee& tracee);

  const Report* report_ = nullptr;
  std::optional<Tree> whole_tree_;
  TreeBooks tree_;
  bool has_run_ = false, hit_process_limit_ = false;
  KernelCalls calls_;
  pid_t child_ = -1;
  std::unordered_map<pid_t, Tracee> tracees_;
  std::uint64_t first_ns_ = 0;
  SharedCpu shared_cpu_;
};

}  // namespace heapmark::ledger
