// The flags for a command as the work of `run` and `sweep`, and what they come to.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "harness/trial/command.h"

namespace heapmark::cli {

struct CommandOptions {
  std::vector<std::string> words;  // what stands after "--"
  std::string name, prepare, directory, input;
  std::vector<std::string> environment;  // "NAME=VALUE"
  bool ignore_output = false;
  bool lockstep = false;
  int exit_code = 0;
  std::string serve, ready, load, figure;
  std::string settle = "5s", ready_within = "60s", stop = "SIGTERM";
  bool figure_is_cost = false;
  unsigned process_limit = trial::Command::kProcessLimit;
};

void add_command_flags(CLI::App& verb, CommandOptions& options);

// A command line taken apart as a shell does: blanks part words, quotes and backslashes keep them. Variables,
// patterns and operators are not known: those take a shell, sh -c '...'. Throws UsageError for an open quote.
[[nodiscard]] std::vector<std::string> split_words(const std::string& line);

// Nothing where no command was given. Throws UsageError, also where a flag for commands was given without
// one.
[[nodiscard]] std::optional<trial::Command> command_of(const CommandOptions& options);

}  // namespace heapmark::cli
