// See run.h.
#include "harness/cli/run.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>
#include <tuple>

#include "harness/cli/exit_codes.h"
#include "harness/cli/known.h"
#include "harness/cli/library_check.h"
#include "harness/cli/measure.h"
#include "harness/cli/output.h"
#include "harness/cli/own_malloc.h"
#include "harness/cli/precision.h"
#include "harness/cli/pressure.h"
#include "harness/cli/terminal.h"
#include "harness/machine/machine.h"
#include "harness/plan/command_workload.h"
#include "harness/plan/did_you_mean.h"
#include "harness/plan/usage_error.h"
#include "harness/record/context.h"
#include "harness/record/results_lock.h"
#include "harness/stats/analysis.h"
#include "harness/trial/process_executor.h"
#include "harness/view/exporter.h"

namespace heapmark::cli {
namespace {

namespace fs = std::filesystem;

// With --precision and without -r, the speed pass has up to so many times as many rounds as by default.
constexpr unsigned kRoundsForPrecision = 4;

trial::Pairs parse_sets(const std::vector<std::string>& sets) {
  trial::Pairs pairs;
  for (const std::string& set : sets) {
    const auto equals = set.find('=');
    if (equals == std::string::npos || equals == 0)
      throw UsageError("--set takes PARAM=VALUE, not '" + set + "'");
    pairs.emplace_back(set.substr(0, equals), set.substr(equals + 1));
  }
  return pairs;
}

// A trace by its whole path: --resume may be called in another folder.
std::string word_for_resume(const std::string& word) {
  if (!plan::names_trace(word) || word.size() == plan::kTracePrefix.size()) return word;
  std::error_code error;
  const fs::path file = fs::absolute(word.substr(plan::kTracePrefix.size()), error);
  return error ? word : std::string(plan::kTracePrefix) + file.lexically_normal().string();
}

// What is for built-in workloads alone must not be given with a command.
void require_command_flags(const RunOptions& options, plan::Request& request) {
  if (!options.workloads.empty())
    throw UsageError("-w names built-in workloads, and a command is the work: leave one of them out");
  if (!options.sets.empty() || options.check)
    throw UsageError("--set and --check are for built-in workloads, not for a command");
  request.command_name = options.program.name;
  request.lockstep = options.program.lockstep;
}

std::string dated_name() {
  return fmt::format("heapmark-{:%Y%m%d-%H%M%S}.json", fmt::gmtime(std::chrono::system_clock::now()));
}

std::string choose_baseline(const std::string& asked, const std::vector<plan::Selection>& selections) {
  std::vector<std::string> labels;
  for (const plan::Selection& one : selections) labels.push_back(one.label);
  const std::string wanted = asked.empty() ? "glibc" : asked;
  if (std::find(labels.begin(), labels.end(), wanted) != labels.end()) return wanted;
  if (asked.empty()) return labels.front();
  throw UsageError("--baseline: " + plan::unknown("allocator of this run", asked, labels));
}

record::AllocatorFound found(const plan::Selection& selection) {
  const plan::Allocator& row = selection.allocator;
  trial::Pairs defaults;
  for (const auto& [name, value] : selection.tunables)
    for (const plan::Tunable& tunable : row.tunables)
      if (tunable.name == name) defaults.emplace_back(name, tunable.default_value);
  return {.name = row.name,
          .label = selection.label,
          .summary = row.summary,
          .library = selection.library,
          .version = selection.version,
          .build_id = selection.build_id,
          .package = row.package,
          .tunables = selection.tunables,
          .defaults = std::move(defaults),
          .skipped = selection.skipped,
          .not_for_use = row.not_for_use};
}

record::Asked asked_for(const RunOptions& options) {
  record::Asked asked;
  asked.allocators = options.allocators;
  asked.baseline = options.baseline;
  if (!options.margin.empty()) asked.margin = parse_margin(options.margin);
  asked.request = request_of(options);
  return asked;
}

// Figures of two machines or of two builds of a library must not meet in one file: their ratios would lie.
void require_same(const record::Results& before, const record::Results& now) {
  const std::string host_before = before.context.value("host_name", ""),
                    host = now.context.value("host_name", "");
  if (host_before != host)
    throw UsageError("these results were measured on the host '" + host_before + "', this is '" + host +
                     "': start a new file");
  if (before.heapmark_version != now.heapmark_version)
    throw UsageError("these results were measured by heapmark " + before.heapmark_version + ", this is " +
                     now.heapmark_version + ": start a new file");
  for (const record::AllocatorFound& old : before.allocators) {
    const auto same = std::find_if(now.allocators.begin(), now.allocators.end(),
                                   [&](const record::AllocatorFound& one) { return one.label == old.label; });
    if (same == now.allocators.end() || same->build_id != old.build_id || same->library != old.library)
      throw UsageError(old.label + " is not the library any more that these results were measured with (" +
                       old.library + "): start a new file");
  }
}

// Nor those of two traces that bear one name, or of work that has another size in this version.
void require_same_work(const record::Results& before, const std::vector<trial::TrialSpec>& plan) {
  using Place = std::tuple<std::string, std::string, std::string>;
  std::map<Place, const trial::Pairs*> planned;
  for (const trial::TrialSpec& spec : plan)
    planned[{spec.workload, spec.variant, spec.pass}] = &spec.parameters;
  for (const record::Record& record : before.records) {
    const trial::TrialSpec& old = record.spec;
    const auto now = planned.find({old.workload, old.variant, old.pass});
    if (now == planned.end() || *now->second == old.parameters) continue;
    if (plan::trace_of(*now->second) != plan::trace_of(old.parameters))
      throw UsageError(old.workload + "/" + old.variant +
                       ": the trace is another one than these results were measured with: start a new file");
    throw UsageError(fmt::format(
        "{}/{}, {} pass: these results were measured with other parameters than this heapmark has for it: "
        "start a new file",
        old.workload, old.variant, old.pass));
  }
}

trial::ProcessExecutor* running_executor = nullptr;
volatile std::sig_atomic_t signal_seen = 0;

// Ctrl-C and a polite kill end the trial that runs; what was measured is kept.
class StopOnSignal {
 public:
  explicit StopOnSignal(trial::ProcessExecutor& executor) {
    running_executor = &executor;
    struct sigaction action {};
    signal_seen = 0;
    action.sa_handler = [](int signal) {
      signal_seen = signal;
      running_executor->interrupt();
    };
    sigaction(SIGINT, &action, &old_int_);
    sigaction(SIGTERM, &action, &old_term_);
  }
  ~StopOnSignal() {
    sigaction(SIGINT, &old_int_, nullptr);
    sigaction(SIGTERM, &old_term_, nullptr);
    running_executor = nullptr;
  }
  StopOnSignal(const StopOnSignal&) = delete;
  StopOnSignal& operator=(const StopOnSignal&) = delete;

 private:
  struct sigaction old_int_ {
  }, old_term_{};
};

// Before anything is measured: whether the allocators can take the place of the program's malloc at all.
void tell_of_malloc(const Paths& paths, const trial::Command& command,
                    std::vector<plan::Selection>& selections) {
  const std::string& program = command.words.front();
  if (const std::string own = own_malloc_words(program, command.directory); !own.empty()) warn(own);
  for (plan::Selection& one : selections)
    if (const std::string how = forward_where_linked(paths, program, command.directory, one); !how.empty())
      warn(how);
}

void say_what_is_skipped(const std::vector<plan::Selection>& selections) {
  for (const plan::Selection& one : selections)
    if (!one.skipped.empty()) warn(one.label + " is skipped: " + one.skipped);
}

// A known failure stands in every table, but does not make the run a broken one.
int exit_code(const std::vector<record::Record>& records, const std::vector<plan::Selection>& selections) {
  bool unexpected = false;
  std::set<std::string> told;
  for (const record::Record& record : records) {
    if (record.result.outcome == trial::Outcome::kOk) continue;
    const plan::KnownFailure* known = known_failure(record, selections);
    unexpected |= known == nullptr;
    if (known != nullptr && told.insert(record.spec.allocator + known->why).second)
      fmt::print("Known of {}: {}\n", record.spec.allocator, known->why);
  }
  return unexpected ? kSomeTrialFailed : 0;
}

}  // namespace

std::vector<plan::WorkloadInfo> known_workloads(const Paths& paths, const plan::Request& request) {
  if (request.command) return {plan::command_workload(*request.command, request.command_name)};
  return plan::with_traces(ask_workloads(paths.host_program), request.workloads, MachineTraces());
}

plan::Request request_of(const RunOptions& options) {
  plan::Request request;
  for (const std::string& word : options.workloads) request.workloads.push_back(word_for_resume(word));
  request.passes = options.passes;
  request.rounds = plan::parse_rounds(options.rounds, options.quick);
  request.sets = parse_sets(options.sets);
  request.seed = options.seed;
  request.first_round = options.first_round;
  if (!options.shard.empty()) request.shard = plan::parse_shard(options.shard);
  if (!options.timeout.empty()) request.timeout = parse_duration("--timeout", options.timeout);
  request.quick = options.quick;
  request.check = options.check;
  request.lockstep = !options.no_lockstep;
  request.command = command_of(options.program);
  if (request.command) require_command_flags(options, request);
  if (!options.pressure.empty()) request.pressure = plan::parse_pressure_limits(options.pressure);
  request.swap = options.swap;
  const auto& kinds = trial::swap_kind_names();
  if (!options.swap.empty() && std::find(kinds.begin(), kinds.end(), options.swap) == kinds.end())
    throw UsageError("--swap: " + plan::unknown("kind of swap", options.swap, kinds));
  if (!options.precision.empty()) {
    request.precision = parse_precision(options.precision);
    if (options.rounds.empty()) request.rounds.of("speed") *= kRoundsForPrecision;
  }
  return request;
}

double parse_margin(const std::string& written) {
  double value = 0;
  const char* const end = written.data() + written.size();
  const auto [rest, error] = std::from_chars(written.data(), end, value, std::chars_format::fixed);
  if (error != std::errc{} || std::string(rest, end) != "%" || value <= 0 || value >= 100)
    throw UsageError("--margin takes a share above 0 and below 100, like 3% or 0.5%; not '" + written + "'");
  return value / 100;
}

std::chrono::seconds parse_duration(const std::string& flag, const std::string& written) {
  double value = 0;
  const char* const end = written.data() + written.size();
  const auto [rest, error] = std::from_chars(written.data(), end, value, std::chars_format::fixed);
  const std::string unit(rest, end);
  const double factor = unit.empty() || unit == "s" ? 1 : unit == "m" ? 60 : unit == "h" ? 3600 : 0;
  if (error != std::errc{} || factor == 0 || value <= 0)
    throw UsageError(flag + " takes a time like 90s, 10m or 1h, not '" + written + "'");
  return std::chrono::seconds(std::max(1L, std::lround(value * factor)));
}

int run(const Paths& paths, const RunOptions& options) {
  const bool resuming = !options.resume.empty();
  if (resuming && !options.program.words.empty())
    throw UsageError("--resume goes on with the command of the file: leave out what stands after --");
  // Before the file is made: a mistake leaves nothing behind.
  std::optional<std::chrono::seconds> budget;
  if (!options.budget.empty()) budget = parse_duration("--budget", options.budget);
  const fs::path output = !options.output.empty() ? options.output : resuming ? options.resume : dated_name();
  require_file_name("-o", output.string());
  if (resuming && !fs::exists(options.resume)) (void)record::read_results(options.resume);  // says so
  const record::ResultsLock lock(output);
  record::Results results;
  if (resuming) results = record::read_results(options.resume);
  const record::Results before = results;
  if (!resuming) results.asked = asked_for(options);
  if (resuming && !options.rounds.empty())
    results.asked.request.rounds = plan::more_rounds(results.asked.request.rounds, options.rounds);

  const auto catalog = load_catalog(paths.catalog_directory);
  auto selections = select(paths, results.asked.allocators, catalog);
  if (results.asked.request.command) tell_of_malloc(paths, *results.asked.request.command, selections);
  const auto workloads = known_workloads(paths, results.asked.request);
  results.asked.baseline = choose_baseline(results.asked.baseline, selections);
  const auto plan = plan::make_plan(results.asked.request, selections, workloads);

  results.heapmark_version = HEAPMARK_VERSION;
  if (resuming && before.context.contains("merged"))
    throw UsageError(options.resume + " was merged from several files: go on with those");
  results.context = record::context_of(machine::read_machine(), paths.program_directory + "/heapmark",
                                       options.command, HEAPMARK_GIT_REVISION);
  results.allocators.clear();
  for (const plan::Selection& one : selections) results.allocators.push_back(found(one));
  for (const plan::WorkloadInfo& one : workloads) results.metrics[one.name] = one.metrics;
  if (resuming) {
    require_same(before, results);
    require_same_work(before, plan);
    results.context = before.context;
  }

  if (fs::exists(output) && !(resuming && output == options.resume))
    throw UsageError(output.string() + " exists: choose another -o, or go on with it by --resume " +
                     output.string());
  say_what_is_skipped(selections);
  for (const std::string& same : same_libraries(selections)) warn(same);
  trial::ProcessExecutor executor(paths.host_program);
  executor.choose_swap(swap_for(plan, results.asked.request.swap, options.swap_folder));
  if (!resuming) check_given_libraries(selections, executor);

  record::ResultsFile file(output, std::move(results));
  file.finish({});  // a file that cannot be written is told now, not after the first trial
  const StopOnSignal stop(executor);
  view::Progress progress(stderr, is_terminal(stderr), terminal_width(stderr));
  std::optional<Clock::time_point> deadline;
  if (budget) deadline = Clock::now() + *budget;
  const End end = measure(plan, workloads, executor, file, progress, deadline,
                          [] { return machine::available_memory(); });
  const double precision = file.results().asked.request.precision;

  const stats::Analysis analysis = stats::analyse(file.results());
  file.finish(stats::statistics_json(analysis));
  for (const char* const format : {"table", "words"}) {
    if (!options.tables && std::string_view(format) != "words") continue;
    fmt::print("{}", view::find_exporter(format)->render({file.results(), analysis, output.string(),
                                                          terminal_width(stdout), wants_colour(stdout)}));
  }
  fmt::print("{}", precision_words(stats::time_precision(file.results()), precision));
  fmt::print("Results: {}\n", output.string());
  if (end == End::kInterrupted) {
    fmt::print("Interrupted after {} of {} trials. Go on with: heapmark run --resume {}\n",
               file.results().records.size(), plan.size(), output.string());
    return kBySignal + (signal_seen != 0 ? signal_seen : SIGINT);
  }
  if (end == End::kBudgetUsed)
    fmt::print("The budget of {} is used up after {} of {} trials. Go on with: heapmark run --resume {}\n",
               options.budget, file.results().records.size(), plan.size(), output.string());
  return exit_code(file.results().records, selections);
}

}  // namespace heapmark::cli
