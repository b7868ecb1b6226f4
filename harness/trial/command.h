// A command as the work of a trial: any program, with its arguments and surroundings. Data alone: the command
// line makes it (cli/command_flags.h), the results file keeps it, command_run.h carries it out.
#pragma once

#include <signal.h>

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace heapmark::trial {

// A server: what makes it one is a load from outside.
struct Server {
  std::string ready;                       // a shell command that succeeds once the server can be used
  std::string load;                        // a shell command whose time is the figure
  std::string figure;                      // a regular expression for a number that the load prints; "": none
  bool figure_is_cost = false;             // lower is better
  std::chrono::milliseconds settle{5000};  // after the load
  std::chrono::milliseconds ready_within{60000};  // else it has failed
  int stop_signal = SIGTERM;
  bool operator==(const Server&) const = default;
};

struct Command {
  std::vector<std::string> words;  // the program, looked for in PATH where it has no '/', and its arguments
  std::string prepare;             // run by /bin/sh before each trial, not measured; "": nothing
  std::string directory;           // to run it in; "": where heapmark runs
  std::vector<std::pair<std::string, std::string>> environment;  // added to heapmark's own
  std::string input;                       // a file for its standard input; "": there is nothing to read
  bool ignore_output = false;              // what it prints need not be the same each time
  int exit_code = 0;                       // with which it ends when all went well
  unsigned process_limit = kProcessLimit;  // most processes and threads at one time

  std::optional<Server> server;  // the words are a server's

  static constexpr unsigned kProcessLimit = 4000;
  bool operator==(const Command&) const = default;
};

}  // namespace heapmark::trial
