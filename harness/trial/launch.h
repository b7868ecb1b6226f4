// How a program of the user's is started: its words, environment, folder and descriptors, and what the
// process that starts it tells of it. Above: keeper.h, and the ledger's run of a command.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "harness/trial/child.h"
#include "harness/trial/tree_cgroup.h"

namespace heapmark::trial {

// What is started, and as what. Descriptors are heapmark's; they are only borrowed.
struct Launch {
  std::vector<std::string> words;
  std::vector<std::string> environment;  // "NAME=VALUE"
  std::string directory;                 // "": as heapmark's own
  int standard_input = -1, standard_output = -1, standard_error = -1;
  bool stopped = false;        // it stops itself before it becomes the program: SIGCONT lets it begin
  unsigned process_limit = 0;  // RLIMIT_NPROC, where there is no cgroup to do it; 0: none
};

// What the keeper knows, in memory that both share.
struct Kept {
  pid_t main = -1;
  int start_error = 0;              // errno of what failed before the program ran
  bool at_directory = false;        // it was the change of directory
  bool ended = false;               // the main process has ended
  int wait_status = 0;              // of it, as wait(2) tells it
  std::uint64_t start_ns = 0;       // CLOCK_MONOTONIC, just before exec
  std::uint64_t end_ns = 0;         // when its end was seen
  bool gone = false;                // nothing of the tree is left
  std::uint64_t forks_refused = 0;  // at the limit of its cgroup
  std::uint64_t oom_kills = 0;      // of its cgroup, by the kernel for want of memory
  unsigned left_behind = 0;         // processes that were still there when the main process had ended
  double user_seconds = 0, system_seconds = 0;  // of all of the tree that was waited for, getrusage(2)
  std::uint64_t minor_faults = 0, major_faults = 0;
};

// `Kept` in memory that a process shares with those that it forks.
class SharedKept {
 public:
  SharedKept();  // throws std::system_error
  ~SharedKept();
  SharedKept(const SharedKept&) = delete;
  SharedKept& operator=(const SharedKept&) = delete;
  [[nodiscard]] Kept& get() const { return *kept_; }

 private:
  Kept* kept_;
};

// In a forked child: becomes the program, in a process group of its own that dies with its parent. Where that
// fails it says so in `kept` and ends.
[[noreturn]] void become(const Launch& launch, const TreeCgroup& cgroup, Kept& kept,
                         BeforeExec before_exec = nullptr);

// Closes all descriptors above standard error but those of `kept`.
void close_others(std::vector<int> kept);

[[nodiscard]] std::uint64_t monotonic_ns();

}  // namespace heapmark::trial
