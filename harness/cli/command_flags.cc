// See command_flags.h.
#include "harness/cli/command_flags.h"

#include <fmt/format.h>
#include <signal.h>
#include <string.h>

#include <charconv>
#include <cmath>
#include <filesystem>
#include <regex>
#include <system_error>

#include "harness/plan/usage_error.h"

namespace heapmark::cli {
namespace {

constexpr const char* kGroup = "Your own program (heapmark run ... -- COMMAND ARGS...)";

constexpr const char* kServerGroup =
    "Your own server (heapmark run --serve '...' --ready '...' --load '...')";

std::chrono::milliseconds milliseconds_of(const std::string& flag, const std::string& written) {
  double value = 0;
  const char* const end = written.data() + written.size();
  const auto [rest, error] = std::from_chars(written.data(), end, value, std::chars_format::fixed);
  const std::string unit(rest, end);
  const double factor = unit == "ms" ? 1 : unit.empty() || unit == "s" ? 1000 : unit == "m" ? 60000 : 0;
  if (error != std::errc{} || factor == 0 || value < 0 || value * factor > 1e9)
    throw UsageError(fmt::format("{} takes a time like 500ms, 5s or 1m, not '{}'", flag, written));
  return std::chrono::milliseconds(std::lround(value * factor));
}

int signal_of(const std::string& written) {
  const std::string name = written.starts_with("SIG") ? written.substr(3) : written;
  for (int number = 1; number < NSIG; ++number)
    if (const char* const known = ::sigabbrev_np(number); known != nullptr && name == known) return number;
  throw UsageError(fmt::format("--stop takes a signal like SIGTERM or SIGINT, not '{}'", written));
}

trial::Server server_of(const CommandOptions& options) {
  if (options.ready.empty() || options.load.empty())
    throw UsageError(
        "--serve needs --ready 'CMD', which succeeds once the server can be used, and --load 'CMD', which is "
        "timed");
  trial::Server server;
  server.ready = options.ready;
  server.load = options.load;
  server.figure = options.figure;
  server.figure_is_cost = options.figure_is_cost;
  server.settle = milliseconds_of("--settle", options.settle);
  server.ready_within = milliseconds_of("--ready-within", options.ready_within);
  server.stop_signal = signal_of(options.stop);
  try {
    const std::regex tried(options.figure);
  } catch (const std::regex_error& error) {
    throw UsageError(fmt::format("--figure '{}' is no regular expression: {}", options.figure, error.what()));
  }
  return server;
}

std::string absolute(const std::string& path) {
  return path.empty() ? "" : std::filesystem::absolute(path).lexically_normal().string();
}

}  // namespace

void add_command_flags(CLI::App& verb, CommandOptions& options) {
  const auto add = [&](CLI::Option* option) { option->group(kGroup); };
  add(verb.add_option("--name", options.name, "name of the work in tables (the program's base name)"));
  add(verb.add_option("--prepare", options.prepare,
                      "a shell command before each trial, not measured: --prepare 'rm -rf out'"));
  add(verb.add_option("--cwd", options.directory, "folder to run the command in"));
  add(verb.add_option("--env", options.environment, "NAME=VALUE for the command; may be repeated"));
  add(verb.add_option("--input", options.input, "file for its standard input (nothing to read)"));
  add(verb.add_flag(
      "--lockstep", options.lockstep,
      "for a command that computes and waits for nobody: all allocators take turns of 20 ms, the "
      "others stopped meanwhile; without, one runs after the other"));
  add(verb.add_flag("--ignore-output", options.ignore_output,
                    "what it prints need not be the same with every allocator"));
  add(verb.add_option("--exit-code", options.exit_code, "with which it ends when all is well")
          ->check(CLI::Range(0, 255))
          ->capture_default_str());
  add(verb.add_option("--processes", options.process_limit,
                      "most processes and threads that it may have at one time")
          ->check(CLI::Range(1, 100000))
          ->capture_default_str());
  const auto serve = [&](CLI::Option* option) { option->group(kServerGroup); };
  serve(verb.add_option("--serve", options.serve, "the server's command line, run on each allocator"));
  serve(verb.add_option("--ready", options.ready,
                        "a shell command that succeeds once the server can be used; tried until it does"));
  serve(verb.add_option("--load", options.load,
                        "a shell command whose time is measured; not on the allocator"));
  serve(verb.add_option("--settle", options.settle, "time after the load, in the memory pass")
            ->capture_default_str());
  serve(
      verb.add_option("--ready-within", options.ready_within, "a server that is not ready by then has failed")
          ->capture_default_str());
  serve(verb.add_option("--stop", options.stop, "the signal that stops it")->capture_default_str());
  serve(verb.add_option("--figure", options.figure,
                        "a regular expression whose first group is a number in what the load prints"));
  serve(verb.add_flag("--figure-lower", options.figure_is_cost, "that number is better when it is lower"));
}

std::vector<std::string> split_words(const std::string& line) {
  std::vector<std::string> words;
  bool in_word = false;
  char quote = 0;
  const auto add = [&](const char* begin, std::size_t size) {
    if (!in_word) words.emplace_back();
    in_word = true;
    words.back().append(begin, size);
  };
  for (std::size_t at = 0; at < line.size(); ++at) {
    const char letter = line[at];
    if (quote == 0 && (letter == ' ' || letter == '\t' || letter == '\n')) {
      in_word = false;
    } else if (quote == 0 && (letter == '"' || letter == '\'')) {
      quote = letter;
      add("", 0);
    } else if (quote != 0 && letter == quote) {
      quote = 0;
    } else if (letter == '\\' && quote != '\'' && at + 1 < line.size()) {
      add(&line[++at], 1);
    } else {
      add(&letter, 1);
    }
  }
  if (quote != 0) throw UsageError(fmt::format("--serve: a {} is not closed in: {}", quote, line));
  return words;
}

std::optional<trial::Command> command_of(const CommandOptions& options) {
  if (options.words.empty() && options.serve.empty()) {
    const CommandOptions none;
    if (!options.ready.empty() || !options.load.empty())
      throw UsageError("--ready and --load are of a server: --serve './server --port 7777'");
    if (options.name != none.name || options.prepare != none.prepare || options.directory != none.directory ||
        options.input != none.input || options.environment != none.environment || options.ignore_output ||
        options.lockstep || options.exit_code != 0 || options.process_limit != none.process_limit)
      throw UsageError("flags for a command were given, but no command: it stands last, after --");
    return std::nullopt;
  }
  if (!options.words.empty() && !options.serve.empty())
    throw UsageError("--serve names the server: nothing may follow --");
  trial::Command command;
  command.words = options.serve.empty() ? options.words : split_words(options.serve);
  if (!options.serve.empty() && options.lockstep)
    throw UsageError("--lockstep is for a command that computes: a server waits for its load; leave it out");
  if (!options.serve.empty()) command.server = server_of(options);
  if (command.words.empty() || command.words.front().empty())
    throw UsageError("the command is empty: its program is missing");
  command.prepare = options.prepare;
  command.directory = absolute(options.directory);
  command.input = absolute(options.input);
  std::error_code error;
  if (!command.directory.empty() && !std::filesystem::is_directory(command.directory, error))
    throw UsageError(fmt::format("--cwd {}: no such folder", command.directory));
  if (!command.input.empty() && !std::filesystem::exists(command.input, error))
    throw UsageError(fmt::format("--input {}: no such file", command.input));
  for (const std::string& one : options.environment) {
    const auto equals = one.find('=');
    if (equals == std::string::npos || equals == 0)
      throw UsageError(fmt::format("--env takes NAME=VALUE, not '{}'", one));
    command.environment.emplace_back(one.substr(0, equals), one.substr(equals + 1));
  }
  command.ignore_output = options.ignore_output;
  command.exit_code = options.exit_code;
  command.process_limit = options.process_limit;
  // From another folder "./app" would be another program.
  if (const std::string& program = command.words.front();
      program.find('/') != std::string::npos && command.directory.empty())
    command.words.front() = absolute(program);
  return command;
}

}  // namespace heapmark::cli
