// Runs another program and reads what it writes to its standard output: for questions to heapmark-host and to
// dpkg-query, never for measuring.
#pragma once

#include <string>
#include <vector>

namespace heapmark::machine {

struct Answer {
  int status = 0;  // exit status; 128 + signal where one ended it
  std::string output;
};

// `command[0]` is looked for in PATH where it has no slash. Standard error is the caller's own, or nowhere
// where `quiet`. Throws std::system_error where the program cannot be started.
[[nodiscard]] Answer run_and_read(const std::vector<std::string>& command, bool quiet = false);

}  // namespace heapmark::machine
