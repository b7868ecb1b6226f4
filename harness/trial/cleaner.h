// What must not outlive the tool, whatever ends it: a swap file or zram device in use, a memory cgroup and
// the processes in it. A child process, the cleaner, is told of each such thing before it is made and undoes
// all of them when the tool's end of a socket closes: at the tool's own end, and as well where it is killed.
// So there is one way of cleaning, which every run takes. The cleaner is in a session of its own, ignores the
// signals of the terminal, and holds none of the tool's descriptors.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "harness/trial/child.h"

namespace heapmark::trial {

class Cleaner {
 public:
  Cleaner();   // starts the child; throws std::system_error
  ~Cleaner();  // has everything undone, and waits for it
  Cleaner(const Cleaner&) = delete;
  Cleaner& operator=(const Cleaner&) = delete;

  // `path`: of a swap file that is about to be made, at most kLongestPath bytes. Throws std::system_error.
  void will_make_swap(const std::string& path);
  // Likewise of a cgroup that is about to be made; processes in it are killed then.
  void will_make_cgroup(const std::string& path);
  // Of a zram device ("zram0") whose size is about to be set to `bytes`. It is only reset where it has that
  // size then: what another program set up is left alone.
  void will_set_up_zram(const std::string& name, std::uint64_t bytes);

  static constexpr std::size_t kLongestPath = 1000;

 private:
  void tell(char kind, const std::string& what);

  Descriptor tool_end_;  // of a pair of sockets; the other is the child's
  pid_t child_ = -1;
};

}  // namespace heapmark::trial
