// The keeper: a process between heapmark and a command, which the whole process tree of the command belongs
// to. Orphans become its children (PR_SET_CHILD_SUBREAPER, prctl(2)), so it sees every end, adds up what the
// tree used, and ends everything that is left when the command has ended, when it is told to, and when
// heapmark is gone, however that was killed. It is in a session of its own, holds none of heapmark's
// descriptors, and sleeps while the command runs. It decides nothing about figures; above: command_run.cc.
#pragma once

#include <sys/types.h>

#include <vector>

#include "harness/trial/child.h"
#include "harness/trial/launch.h"
#include "harness/trial/tree_cgroup.h"

namespace heapmark::trial {

class Keeper {
 public:
  // Starts the keeper and the command. `cgroup` may be without any. Throws std::system_error.
  Keeper(const Launch& launch, const TreeCgroup& cgroup);
  ~Keeper();  // ends the tree and waits until nothing is left
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

  [[nodiscard]] const volatile Kept& kept() const { return kept_.get(); }
  [[nodiscard]] pid_t pid() const { return pid_; }
  // Readable when the main process has ended; read by wait_until_gone().
  [[nodiscard]] int event_fd() const { return socket_.get(); }

  void signal_main(int signal) const;  // to its process group
  void end_all() const;                // SIGKILL to the whole tree, whose end is then seen as any other
  void wait_until_gone() const;        // after the main process has ended or end_all()

 private:
  SharedKept kept_;
  Descriptor socket_;
  pid_t pid_ = -1;
};

// Every process below `root`, itself not included, from /proc; parents before their children.
[[nodiscard]] std::vector<pid_t> processes_below(pid_t root);

}  // namespace heapmark::trial
