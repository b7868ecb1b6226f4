// What must not outlive the tool, whatever ends it: a swap file in use. A child process, the cleaner, is told
// of each such thing before it is made and undoes all of them when the tool's end of a socket closes: at the
// tool's own end, and as well where it is killed. So there is one way of cleaning, which every run takes. The
// cleaner is in a session of its own, ignores the signals of the terminal, and holds none of the tool's
// descriptors.
#pragma once

#include <sys/types.h>

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

  static constexpr std::size_t kLongestPath = 1000;

 private:
  Descriptor tool_end_;  // of a pair of sockets; the other is the child's
  pid_t child_ = -1;
};

}  // namespace heapmark::trial
