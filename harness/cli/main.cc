// heapmark's command line: each verb's flags, then the verb. What goes wrong ends here, with its exit code:
// exit_codes.h.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <sstream>
#include <string>
#include <vector>

#include "harness/cli/doctor.h"
#include "harness/cli/exec.h"
#include "harness/cli/exit_codes.h"
#include "harness/cli/list.h"
#include "harness/cli/merge.h"
#include "harness/cli/output.h"
#include "harness/cli/paths.h"
#include "harness/cli/record.h"
#include "harness/cli/run.h"
#include "harness/cli/run_flags.h"
#include "harness/cli/show.h"
#include "harness/cli/sweep.h"
#include "harness/cli/terminal.h"
#include "harness/cli/trace.h"
#include "harness/cli/tune.h"
#include "harness/cli/tutorial.h"
#include "harness/plan/did_you_mean.h"
#include "harness/plan/usage_error.h"
#include "harness/record/results_lock.h"
#include "harness/view/exporter.h"

namespace {

using namespace heapmark;

// Quoted where a shell would need it, so that the command in a results file can be pasted.
std::string command_line(int argc, char** argv) {
  std::string line = "heapmark";
  for (int at = 1; at < argc; ++at) {
    const std::string word = argv[at];
    const bool plain =
        !word.empty() && word.find_first_of(" \t\n\"'\\$`*?[]{}()<>|&;#!~") == std::string::npos;
    line += plain ? " " + word : " '" + word + "'";
  }
  return line;
}

// CLI11 says that it does not know a word; what was perhaps meant is said here. "" where that is not the
// error.
std::string unknown_word(const CLI::App& app, int argc, char** argv) {
  std::vector<std::string> verbs;
  for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; }))
    verbs.push_back(verb->get_name());
  if (argc > 1 && argv[1][0] != '-' && std::find(verbs.begin(), verbs.end(), argv[1]) == verbs.end())
    return plan::unknown("command", argv[1], verbs);
  for (const CLI::App* verb : app.get_subcommands()) {
    std::vector<std::string> flags;
    for (const CLI::Option* option : verb->get_options())
      for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
    for (int at = 2; at < argc; ++at) {
      const std::string word = std::string(argv[at]).substr(0, std::string(argv[at]).find('='));
      if (word.starts_with("--") && word.size() > 2 &&
          std::find(flags.begin(), flags.end(), word) == flags.end())
        return plan::unknown("option of " + verb->get_name(), word, flags);
    }
  }
  return "";
}

int usage(const std::string& message) {
  cli::warn(message);
  return cli::kUsage;
}

int parse_and_run(int argc, char** argv) {
  CLI::App app{
      "Which malloc should my program run on, with which thresholds, and why does its memory not go down?"};
  app.name("heapmark");
  app.set_version_flag("--version", HEAPMARK_VERSION " (" HEAPMARK_GIT_REVISION ")");
  app.require_subcommand(1);
  app.footer(cli::kExitCodesHelp);

  cli::RunOptions run;
  run.command = command_line(argc, argv);
  CLI::App* run_verb = app.add_subcommand("run", "measure workloads on allocators and compare them");
  cli::add_run_flags(*run_verb, run);

  cli::SweepOptions sweep;
  sweep.run.command = run.command;
  CLI::App* sweep_verb =
      app.add_subcommand("sweep", "one allocator at every combination of values of its tunables");
  cli::add_sweep_flags(*sweep_verb, sweep);

  CLI::App* tune_verb = app.add_subcommand(
      "tune",
      "search an allocator's tunables for less time and memory, and check what is found: tune --help");
  tune_verb->prefix_command();
  tune_verb->set_help_flag();

  cli::MergeOptions merge;
  CLI::App* merge_verb = app.add_subcommand("merge", "join the results of shards, or of several runs");
  cli::add_merge_flags(*merge_verb, merge);

  cli::TutorialOptions tutorial;
  CLI::App* tutorial_verb =
      app.add_subcommand("tutorial", "how malloc works, step by step, with this machine's figures");
  tutorial_verb->add_option("-a,--allocators", tutorial.allocators, "allocators, as for run")
      ->capture_default_str();
  tutorial_verb
      ->add_option(
          "--swap", tutorial.swap,
          "present: what the machine has; file: where it has none, a swap file is made (as root), used "
          "and removed, so that major faults of malloc's memory can be seen")
      ->capture_default_str();
  tutorial_verb->add_option("--swap-folder", tutorial.swap_folder, "where the swap file is made")
      ->capture_default_str();

  cli::ShowOptions show;
  CLI::App* show_verb = app.add_subcommand("show", "a results file again: tables, words, CSV, ...");
  show_verb->add_option("RESULTS.json", show.file, "a results file")->required();
  std::string formats;
  for (const view::Exporter& one : view::exporters())
    formats += fmt::format("{}{}: {}", formats.empty() ? "" : "; ", one.name, one.help);
  show_verb->add_option("--format", show.format, formats)->capture_default_str();
  show_verb->add_option("--baseline", show.baseline, "compare with another allocator of the file");
  show_verb->add_option("--margin", show.margin,
                        "5%: call ratios within it equal (by default as in the run)");
  show_verb->add_option("-a,--allocators", show.allocators, "only these of the file, separated by commas");
  show_verb->add_option("--figures", show.figures,
                        "only these, as churn/small-1t:ns_per_op, separated by commas");

  cli::TraceOptions trace;
  CLI::App* trace_verb =
      app.add_subcommand("trace", "what a recorded program does; check, cut and import traces");
  cli::add_trace_flags(*trace_verb, trace);

  std::string list_what;
  bool list_as_json = false;
  const std::string sections = fmt::format("{}", fmt::join(cli::list_sections(), ", "));
  CLI::App* list_verb = app.add_subcommand("list", "what heapmark knows: " + sections);
  list_verb->add_option("WHAT", list_what, "one of " + sections + "; by default all");
  list_verb->add_flag("--json", list_as_json, "as JSON, for scripts");

  CLI::App* doctor_verb =
      app.add_subcommand("doctor", "what in this machine distorts the figures, and how to fix it");

  std::string exec_allocator;
  CLI::App* exec_verb =
      app.add_subcommand("exec", "run any command on an allocator: exec -a jemalloc -- COMMAND...");
  exec_verb->add_option("-a,--allocator", exec_allocator, "one allocator, as for run")->required();

  cli::RecordOptions recorded;
  recorded.command = run.command;
  CLI::App* record_verb = app.add_subcommand(
      "record",
      "write down every allocation of a program, to be replayed: record -o app.hmtrace -- COMMAND...");
  cli::add_record_flags(*record_verb, recorded);

  // What follows "--" is another program's command line: none of it is ours to read.
  char** const end =
      std::find_if(argv, argv + argc, [](const char* word) { return std::string(word) == "--"; });
  const std::vector<std::string> command(end == argv + argc ? end : end + 1, argv + argc);
  argc = static_cast<int>(end - argv);
  run.program.words = sweep.run.program.words = recorded.words = command;
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help_or_version) {
    std::ostringstream text;
    app.exit(help_or_version, text, text);
    fmt::print("{}", text.str());
    return 0;
  } catch (const CLI::ParseError& error) {
    const std::string unknown = unknown_word(app, argc, argv);
    return usage((unknown.empty() ? error.what() : unknown) + "\nSee heapmark --help.");
  }

  const cli::Paths paths = cli::find_paths();
  if (tune_verb->parsed()) {
    std::vector<std::string> arguments(argv + 2, argv + argc);
    if (!command.empty()) arguments.emplace_back("--");
    arguments.insert(arguments.end(), command.begin(), command.end());
    cli::tune(paths, arguments, run.command);
  }
  if (sweep_verb->parsed()) return cli::sweep(paths, sweep);
  if (merge_verb->parsed()) return cli::merge(merge);
  if (run_verb->parsed()) return cli::run(paths, run);
  if (tutorial_verb->parsed()) return cli::tutorial(paths, tutorial);
  if (show_verb->parsed()) return cli::show(show);
  if (trace_verb->parsed()) return cli::trace(paths, trace);
  if (list_verb->parsed()) return cli::list(paths, list_what, list_as_json);
  if (doctor_verb->parsed()) return cli::doctor(paths);
  if (record_verb->parsed()) return cli::record(paths, recorded);
  return cli::exec(paths, exec_allocator, command);
}

}  // namespace

int main(int argc, char** argv) {
  cli::fill_standard_descriptors();
  try {
    const int code = parse_and_run(argc, argv);
    const std::string why = cli::flush_standard_output();
    if (why.empty()) return code;
    cli::warn(why);
    return cli::kToolFailed;
  } catch (const cli::Failure& failure) {
    cli::warn(failure.what());
    return failure.exit_code();
  } catch (const record::FileInUse& error) {
    cli::warn(error.what());
    return cli::kFileInUse;
  } catch (const UsageError& error) {
    return usage(error.what());
  } catch (const std::exception& error) {
    // fmt says only that a file cannot be written.
    cli::warn((std::ferror(stdout) != 0 ? "standard output cannot be written: " : "") +
              std::string(error.what()));
    return cli::kToolFailed;
  }
}
