// The ledger of a whole process tree: the books of each of its processes (kernel_calls.h), through forks and
// execs, and their sum. Pure: which process called what is told by os_ledger.h.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "harness/ledger/kernel_calls.h"

namespace heapmark::ledger {

class TreeBooks {
 public:
  // A process that was not seen before; `parent` forked it (its books are copied). -1, or one that is not
  // known: it begins with nothing.
  void starts(pid_t process, pid_t parent);
  void becomes_another_program(pid_t process);
  void ends(pid_t process);  // its memory is gone, what it counted stays

  [[nodiscard]] bool knows(pid_t process) const { return books_.contains(process); }
  // Of a process that is known.
  [[nodiscard]] KernelCalls& of(pid_t process) { return books_.at(process); }
  void settle();  // after each call: takes the peak

  [[nodiscard]] Tally tally(EventKind kind) const;
  [[nodiscard]] std::uint64_t made(Call call) const;
  [[nodiscard]] std::uint64_t refused(Call call) const;
  [[nodiscard]] std::uint64_t mapped_peak_bytes() const { return peak_; }  // of all processes together
  // What the process held that ended last: at the end of all, the first one.
  [[nodiscard]] std::int64_t mapped_end_bytes() const { return static_cast<std::int64_t>(at_end_); }
  [[nodiscard]] std::vector<Event> events() const;  // of all, in order of time, at most kMaxEvents
  [[nodiscard]] std::uint64_t dropped_events() const;
  [[nodiscard]] std::size_t running() const { return books_.size(); }

 private:
  // What processes that have ended counted.
  struct Ended {
    Tally tallies[6];
    std::uint64_t made[kCallKinds] = {}, refused[kCallKinds] = {};
    std::uint64_t dropped_events = 0;
    std::vector<Event> events;
  };
  std::map<pid_t, KernelCalls> books_;
  Ended ended_;
  std::uint64_t peak_ = 0, at_end_ = 0;
};

}  // namespace heapmark::ledger
