// The ledger pass: follows a child and writes down every brk, mmap, munmap, mremap and madvise it makes, with
// no privilege. A seccomp filter stops the child at these five calls alone (SECCOMP_RET_TRACE, seccomp(2)),
// ptrace tells the arguments and the result; all other calls run at full speed. Threads are followed and
// counted; forked children are followed, so that they can run, and not counted: they are no part of the
// measured process.
//
// Counted is what begins while the report says that the workload runs.
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "harness/ledger/kernel_calls.h"
#include "workloads/contract/report.h"

namespace heapmark::ledger {

class OsLedger {
 public:
  explicit OsLedger(const Report& report) : report_(report) {}

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
  [[nodiscard]] const std::vector<Event>& events() const { return calls_.events(); }
  [[nodiscard]] std::uint64_t dropped_events() const { return calls_.dropped_events(); }

 private:
  struct Pending {
    KernelCall call{};
    KernelCalls::TakenOut taken_out;
    bool counts = false;
    std::uint32_t phase = 0;
  };
  struct Tracee {
    bool is_ours = false;      // a thread of the measured process
    bool has_started = false;  // its first stop was let go
    bool in_call = false;
    Pending pending{};
  };

  void end_what_is_left() const;
  void call_begins(pid_t thread, Tracee& tracee);
  void call_ends(pid_t thread, Tracee& tracee);
  Tracee& tracee_of(pid_t thread);

  const Report& report_;
  KernelCalls calls_;
  pid_t child_ = -1;
  std::unordered_map<pid_t, Tracee> tracees_;
  std::uint64_t first_ns_ = 0;
};

}  // namespace heapmark::ledger
