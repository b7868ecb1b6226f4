// See record.h.
#include "harness/cli/record.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <signal.h>
#include <sys/wait.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "harness/cli/close_recording.h"
#include "harness/cli/early_closing.h"
#include "harness/cli/exec.h"
#include "harness/cli/exit_codes.h"
#include "harness/cli/known.h"
#include "harness/cli/output.h"
#include "harness/cli/own_malloc.h"
#include "harness/cli/recorded_run.h"
#include "harness/cli/run.h"
#include "harness/cli/terminal.h"
#include "harness/machine/preload_link.h"
#include "harness/machine/program_file.h"
#include "harness/plan/usage_error.h"
#include "harness/plan/written_value.h"
#include "harness/record/results_lock.h"

namespace heapmark::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kSmallestBudget = 1 << 20;

std::uint64_t budget_of(const std::string& written, const fs::path& raw) {
  if (written.empty()) {
    std::error_code error;
    const fs::path folder = raw.parent_path();
    const fs::space_info space = fs::space(folder.empty() ? "." : folder, error);
    return error ? ~std::uint64_t{0} >> 1 : std::max(space.available / 2, kSmallestBudget);
  }
  const auto number = plan::parse_number(written);
  if (!number || number->dimension == plan::WrittenNumber::Dimension::kTime ||
      number->value < static_cast<double>(kSmallestBudget) || number->value > 1e18)
    throw UsageError(fmt::format("--max takes a size from 1M up, like 2G, not '{}'", written));
  return static_cast<std::uint64_t>(number->value);
}

// "USR2", "SIGUSR2", "12".
int signal_of(const std::string& written) {
  if (written.empty()) return 0;
  const std::string name = written.starts_with("SIG") ? written.substr(3) : written;
  for (int number = 1; number < SIGRTMIN; ++number) {
    const char* const abbreviation = ::sigabbrev_np(number);
    if (number == SIGKILL || number == SIGSTOP || number == SIGCHLD || number == SIGINT) continue;
    if (name == std::to_string(number) || (abbreviation != nullptr && name == abbreviation)) return number;
  }
  throw UsageError(fmt::format(
      "--signal takes the name of a signal that the program does not use, like USR2, not '{}'", written));
}

// What the program runs on where no allocator is chosen.
std::string own_allocator(const std::string& program) {
  const char* const preloaded = std::getenv("LD_PRELOAD");
  if (preloaded != nullptr && *preloaded != '\0')
    return fmt::format("the program's own, under {}", preloaded);
  const std::string file = machine::program_behind(program);
  std::vector<std::string> linked;
  if (!file.empty())
    for (const std::string& library : machine::linked_mallocs(file))
      linked.push_back(fs::path(library).filename());
  return linked.empty() ? "glibc" : fmt::format("{}", fmt::join(linked, ", "));
}

// Adds to the environment what puts the allocator and, before it, the recorder into the program. Returns what
// the trace says of the allocator.
std::string choose_preload(const Paths& paths, const RecordOptions& options, trial::Pairs& environment) {
  std::string preload = machine::preloadable(paths.recorder_library);
  const char* const preloaded = std::getenv("LD_PRELOAD");
  const std::string before = preloaded != nullptr && *preloaded != '\0' ? std::string(":") + preloaded : "";
  if (options.allocator.empty()) {
    environment.emplace_back("LD_PRELOAD", preload + before);
    return own_allocator(options.words.front());
  }
  std::vector<plan::Selection> selections =
      select(paths, options.allocator, load_catalog(paths.catalog_directory));
  if (selections.size() != 1)
    throw UsageError(fmt::format("record takes one allocator, not \"{}\"", options.allocator));
  plan::Selection& selection = selections.front();
  if (!selection.skipped.empty()) throw Failure(kNotInstalled, selection.label + ": " + selection.skipped);
  if (const std::string how = forward_where_linked(paths, options.words.front(), "", selection); !how.empty())
    warn(how);
  environment = plan::environment_of(selection);
  environment.emplace_back("LD_PRELOAD", preload + ":" + selection.preload + before);
  return selection.label;
}

// Nothing of a program that no preloaded library reaches is recorded: better said before it runs.
void require_recordable(const std::string& program) {
  const std::string file = machine::program_behind(program);
  if (file.empty()) {
    const bool there = program.find('/') != std::string::npos && fs::exists(program);
    if (!there) throw Failure(kNotFound, program + ": not found");
    return;  // execvp says why
  }
  const machine::ProgramFacts& facts = machine::program_facts(file);
  if (facts.is_static || facts.is_set_id)
    throw Failure(kNotRecordable,
                  fmt::format("{} {}: the loader preloads nothing into it, so the recorder cannot see its "
                              "allocations. Link it dynamically{}",
                              file, machine::why_own_malloc(facts),
                              facts.is_set_id ? ", or record it as the user whom it becomes" : ""));
  if (const std::string why = machine::why_own_malloc(facts); !why.empty())
    warn(fmt::format("{} {}: what it asks of that malloc is not recorded", file, why));
}

int exit_code_of(int wait_status) {
  return WIFSIGNALED(wait_status) ? kBySignal + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

int finish_recording(const RecordOptions& options) {
  const fs::path output = options.finish, raw = raw_of(output);
  if (!options.words.empty()) throw UsageError("--finish takes no command: it closes what is there");
  if (!fs::exists(raw))
    throw UsageError(
        fmt::format("{}: there is no {}: nothing is left to be closed", output.string(), raw.string()));
  const record::ResultsLock lock(output);
  const trace::RawRecording recording = trace::RawRecording::open(raw);
  recording.end(trace::RawReason::kNone);
  const fs::path to = options.output.empty() ? output : fs::path(options.output);
  require_file_name("-o", to.string());
  if (!options.force && fs::exists(to))
    throw UsageError(to.string() + " is there already: choose another -o, or --force to write over it");
  // The program may have outlived the heapmark that started it.
  const std::vector<ClosedTrace> traces =
      close_recording(recording, raw, to, std::nullopt, trace::Writers::kMayBeAtWork);
  if (!traces.empty()) {
    tell_of_traces(recording, traces, std::nullopt);
    return 0;
  }
  fs::remove(raw);
  throw Failure(kNotRecordable, fmt::format("{} holds no allocation", raw.string()));
}

void require_free_place(const RecordOptions& options, const fs::path& output) {
  require_file_name("-o", output.string());
  if (options.force) return;
  if (fs::exists(output))
    throw UsageError(output.string() + " is there already: choose another -o, or --force to write over it");
  if (fs::exists(raw_of(output)))
    throw UsageError(
        fmt::format("{0} was left by a heapmark that was killed: heapmark record --finish {1} closes it, "
                    "--force throws it away",
                    raw_of(output).string(), output.string()));
}

}  // namespace

void add_record_flags(CLI::App& verb, RecordOptions& options) {
  verb.add_option("-o,--output", options.output,
                  "the trace; by default the program's name and .hmtrace, in this folder");
  verb.add_option("-a,--allocator", options.allocator,
                  "record it on this allocator; by default on the one that it runs on anyhow");
  verb.add_option(
      "--max", options.budget,
      "2G: recording ends at this size of the raw recording (about 5 bytes an event), the program goes on; "
      "by default half of what is free on the disk");
  verb.add_option("--for", options.record_for, "60s: recording ends after this time, the program goes on");
  verb.add_option("--signal", options.signal,
                  "USR2: recording begins when the program gets this signal, and ends at the second");
  verb.add_flag("--force", options.force, "write over a trace that is there");
  verb.add_option("--finish", options.finish,
                  "FILE.hmtrace: close what a heapmark that was killed, or found the disk full, left in "
                  "FILE.hmtrace.raw; with -o into another file");
}

int record(const Paths& paths, const RecordOptions& options) {
  if (!options.finish.empty()) return finish_recording(options);
  if (options.words.empty())
    throw UsageError("record needs a command: heapmark record -o app.hmtrace -- COMMAND ARGS...");
  const fs::path output = options.output.empty()
                              ? fs::path(options.words.front()).filename().string() + ".hmtrace"
                              : options.output;
  RecordedProgram program;
  program.words = options.words;
  program.signal = signal_of(options.signal);
  if (!options.record_for.empty()) program.record_for = parse_duration("--for", options.record_for);
  const fs::path raw = fs::absolute(raw_of(output));
  const std::uint64_t budget = budget_of(options.budget, raw);
  const record::ResultsLock lock(output);
  require_free_place(options, output);
  require_recordable(options.words.front());
  const std::string allocator = choose_preload(paths, options, program.environment);
  program.environment.emplace_back(trace::kRawVariable, raw.string());

  const trace::RawRecording recording = trace::RawRecording::create(
      raw,
      {.budget_bytes = budget,
       .signal = program.signal,
       .text = {{"allocator", allocator}, {"command", fmt::format("{}", fmt::join(options.words, " "))}}});
  EarlyClosing early(recording, raw, output);
  program.goes_on = [&early] { early.begin(); };
  const RecordedEnd end = run_recorded(recording, program);
  if (end.start_error != 0) {
    fs::remove(raw);
    throw Failure(end.start_error == ENOENT ? kNotFound : kCannotRun,
                  options.words.front() + ": " + std::strerror(end.start_error));
  }
  if (WIFSIGNALED(end.wait_status))
    warn(fmt::format("{} was ended by signal {} ({})", options.words.front(), WTERMSIG(end.wait_status),
                     ::strsignal(WTERMSIG(end.wait_status))));
  std::vector<ClosedTrace> traces = early.traces();
  if (traces.empty()) traces = close_recording(recording, raw, output, end, trace::Writers::kMayBeAtWork);
  if (!traces.empty()) {
    tell_of_traces(recording, traces, end);
    return exit_code_of(end.wait_status);
  }
  fs::remove(raw);
  throw Failure(kNotRecordable, why_nothing(recording, options.words.front(), program.signal != 0));
}

}  // namespace heapmark::cli
