// See run_flags.h.
#include "harness/cli/run_flags.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace heapmark::cli {
namespace {

// CLI11 itself takes "-4" for an unsigned number, and wraps it.
CLI::Validator whole_number() {
  return CLI::Validator(
      [](const std::string& text) -> std::string {
        const bool digits = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
        return digits ? "" : "takes a whole number from 0 up, not '" + text + "'";
      },
      "", "");
}

// What run and sweep share.
void add_measuring_flags(CLI::App& verb, RunOptions& options) {
  verb.add_option("-w,--workloads", options.workloads,
                  "workloads (churn), single variants (churn/small-1t), groups (patterns), recorded traces "
                  "(trace:app.hmtrace); standard, or all")
      ->delimiter(',');
  verb.add_option("-r,--rounds", options.rounds, plan::rounds_help());
  verb.add_option("--pass", options.passes, fmt::format("{}; all", fmt::join(plan::pass_names(), ", ")))
      ->delimiter(',');
  verb.add_option("--set", options.sets,
                  "PARAM=VALUE for every workload that has the parameter; may be repeated");
  verb.add_flag("--quick", options.quick, "smaller work and fewer rounds: a look, not a proof");
  verb.add_flag("--check", options.check,
                "fill and verify every block (slow: figures are not for comparison)");
  verb.add_option(
      "--precision", options.precision,
      "2%: no further rounds of the speed pass for an allocator on a workload where the interval "
      "of its time is that narrow (half its width; twice as much with several threads), and after "
      "three rounds the next one where it is widest; without -r up to 24 rounds (quick: 12). By "
      "default all rounds are done");
  verb.add_option("--pressure", options.pressure,
                  "limits of the pressure pass: shares of the baseline's peak, and smallest (search for the "
                  "smallest limit that suffices); 0.9,0.8,0.7,0.6,smallest");
  verb.add_option(
      "--swap", options.swap,
      "of the pressure pass: file or zram (made, used and removed, as root), present (what the machine "
      "has) or none; by default what it has, else a file as root");
  verb.add_option("--swap-folder", options.swap_folder, "where the swap file is made (/var/tmp)");
  verb.add_flag("--no-lockstep", options.no_lockstep,
                "time one allocator after the other in each round, instead of all slice by slice");
  verb.add_option("--seed", options.seed, "the same seed gives the same operations")
      ->check(whole_number())
      ->capture_default_str();
  verb.add_option("--timeout", options.timeout,
                  "10s: a trial that takes longer is ended and recorded as timed out");
  verb.add_option("--shard", options.shard,
                  "I/N: only the I-th of N parts, for one of N machines; see merge");
  verb.add_option("--margin", options.margin,
                  "3%: a ratio whose whole interval lies within 1 +- the margin is called equal");
  add_command_flags(verb, options.program);
  verb.add_flag("--tables", options.tables, "print the long tables too, as heapmark show does");
  verb.add_option("-o,--output", options.output, "results file; by default a dated one in this folder");
}

}  // namespace

void add_run_flags(CLI::App& verb, RunOptions& options) {
  verb.add_option("-a,--allocators", options.allocators,
                  "allocators, separated by commas: glibc,jemalloc[dirty_decay_ms=0],mine=/opt/libmine.so; "
                  "all: every one of the catalog that is for use")
      ->capture_default_str();
  add_measuring_flags(verb, options);
  verb.add_option("--budget", options.budget, "10m: no group of trials begins after this time");
  verb.add_option("--first-round", options.first_round,
                  "number the rounds from here, so that the results can be merged with others")
      ->check(whole_number());
  CLI::Option* const resume =
      verb.add_option("--resume", options.resume,
                      "go on with a results file of an interrupted run; with -r: so many rounds in all");
  for (const char* const flag :
       {"-a",          "-w",          "--pass",         "--set",     "--quick",       "--check",
        "--seed",      "--shard",     "--first-round",  "--timeout", "--no-lockstep", "--precision",
        "--margin",    "--prepare",   "--cwd",          "--env",     "--input",       "--ignore-output",
        "--exit-code", "--processes", "--lockstep",     "--name",    "--serve",       "--ready",
        "--load",      "--settle",    "--ready-within", "--stop",    "--figure",      "--figure-lower",
        "--pressure",  "--swap"})
    resume->excludes(flag);
  verb.add_option("--baseline", options.baseline, "what the others are compared with (glibc, else the first)")
      ->excludes("--resume");
}

void add_sweep_flags(CLI::App& verb, SweepOptions& options) {
  options.run.allocators = "glibc";
  verb.add_option("-a,--allocator", options.run.allocators, "the allocator; its defaults are the baseline")
      ->capture_default_str();
  verb.add_option(
      "--vary", options.varied,
      "NAME=VALUE,VALUE,... or NAME=A..B*F (32K..32M*4) or NAME=A..B+S; may be repeated: every combination "
      "is measured");
  add_measuring_flags(verb, options.run);
  verb.add_option("--budget", options.run.budget,
                  "10m: print the plan, take fewer rounds and values until it fits");
}

void add_merge_flags(CLI::App& verb, MergeOptions& options) {
  verb.add_option("RESULTS.json", options.files, "results files")->required();
  verb.add_option("-o,--output", options.output, "the file to write")->required();
  verb.add_flag("--no-tables", options.without_tables, "leave out the samples along each trial");
}

}  // namespace heapmark::cli
