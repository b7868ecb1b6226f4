// See sweep.h.
#include "harness/cli/sweep.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/cli/known.h"
#include "harness/cli/pressure.h"
#include "harness/cli/terminal.h"
#include "harness/plan/budget.h"
#include "harness/plan/usage_error.h"
#include "harness/trial/process_executor.h"
#include "harness/view/quantity.h"

namespace heapmark::cli {
namespace {

// One trial of each workload variant in each pass on the defaults, not recorded: the first one of a machine
// is often slower than those to come, so the estimate errs on the long side.
plan::RoundCost measure_cost(const Paths& paths, const RunOptions& run,
                             const std::vector<plan::Allocator>& catalog) {
  const auto selections = select(paths, run.allocators, catalog);
  plan::Request request = request_of(run);
  request.rounds = plan::one_round_each();
  request.shard = {};
  plan::RoundCost cost;
  trial::ProcessExecutor executor(paths.host_program);
  const auto plan = plan::make_plan(request, selections, known_workloads(paths, request));
  executor.choose_swap(swap_for(plan, request.swap, run.swap_folder));
  std::vector<record::Record> measured;  // not kept: limits follow from them
  for (trial::TrialSpec spec : plan) {
    spec.limit_bytes = limit_bytes_of(spec, run.allocators, measured);
    measured.push_back({spec, executor.run(spec), ""});
    cost.of(spec.pass) += measured.back().result.wall_seconds;
  }
  return cost;
}

std::string describe(const std::vector<plan::Varied>& varied, const plan::Rounds& rounds,
                     const plan::RoundCost& cost) {
  std::string text = fmt::format("{} settings and the defaults", plan::settings(varied) - 1);
  for (const plan::Varied& one : varied)
    text += fmt::format("\n  {}: {}", one.tunable, fmt::join(one.values, ", "));
  text += "\n  rounds:";
  for (const std::string& pass : plan::pass_names())
    if (cost.of(pass) > 0) text += fmt::format(" {} {}", pass, rounds.of(pass));
  return text;
}

// What the budget leaves of the grid, told before anything is measured.
void fit_budget(const Paths& paths, const std::vector<plan::Allocator>& catalog, RunOptions& run,
                std::vector<plan::Varied>& varied) {
  const double budget = static_cast<double>(parse_duration("--budget", run.budget).count());
  const plan::Rounds rounds = plan::parse_rounds(run.rounds, run.quick);
  warn("measuring how long a trial takes");
  const plan::RoundCost cost = measure_cost(paths, run, catalog);
  const double whole = plan::seconds_for(varied, rounds, cost);
  const plan::Fitted fitted = plan::fit(varied, rounds, cost, budget);
  if (!fitted.fits)
    throw UsageError(fmt::format(
        "--budget {}: even {} take about {}; give more time, fewer workloads or --quick", run.budget,
        describe(fitted.varied, fitted.rounds, cost), view::duration(fitted.seconds)));
  fmt::print("Plan: {}\n  about {}, if every setting takes as long as the defaults\n",
             describe(fitted.varied, fitted.rounds, cost), view::duration(fitted.seconds));
  if (fitted.seconds < whole)
    fmt::print("Thinned to the budget; in full, about {}: {}\n", view::duration(whole),
               describe(varied, rounds, cost));
  varied = fitted.varied;
  run.rounds = plan::written(fitted.rounds);
}

}  // namespace

int sweep(const Paths& paths, SweepOptions options) {
  const auto catalog = load_catalog(paths.catalog_directory);
  const std::string base = options.run.allocators;
  const plan::Allocator& allocator = plan::allocator_to_vary(base, catalog);
  if (options.varied.empty())
    throw UsageError("sweep needs --vary NAME=VALUES; " + allocator.name +
                     " has: " + names_of_tunables(allocator));
  std::vector<plan::Varied> varied;
  for (const std::string& written : options.varied) {
    varied.push_back(plan::parse_vary(written, allocator));
    for (std::size_t before = 0; before + 1 < varied.size(); ++before)
      if (varied[before].tunable == varied.back().tunable)
        throw UsageError("--vary " + varied.back().tunable + " is given twice");
  }
  if (!options.run.budget.empty() && !options.run.shard.empty())
    throw UsageError(
        "--budget with --shard: each machine would thin the plan its own way; use -r and fewer values");
  if (!options.run.budget.empty()) fit_budget(paths, catalog, options.run, varied);
  options.run.allocators = fmt::format("{}", fmt::join(plan::grid_of(base, varied), ","));
  options.run.baseline = base;
  return run(paths, options.run);
}

}  // namespace heapmark::cli
