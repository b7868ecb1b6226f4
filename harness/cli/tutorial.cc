// See tutorial.h.
#include "harness/cli/tutorial.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "harness/cli/exit_codes.h"
#include "harness/cli/known.h"
#include "harness/cli/library_check.h"
#include "harness/cli/terminal.h"
#include "harness/plan/did_you_mean.h"
#include "harness/plan/plan.h"
#include "harness/plan/usage_error.h"
#include "harness/record/record.h"
#include "harness/trial/process_executor.h"
#include "harness/trial/swap_file.h"
#include "harness/view/tutorial_story.h"

namespace heapmark::cli {

namespace {

constexpr std::uint64_t kSwapBytes = 64 * 1024 * 1024;

// Kept for as long as the returned object lives.
std::unique_ptr<trial::SwapFile> make_swap(const TutorialOptions& options) {
  const std::vector<std::string> known{"present", "file"};
  if (std::find(known.begin(), known.end(), options.swap) == known.end())
    throw UsageError("--swap: " + plan::unknown("kind of swap", options.swap, known));
  if (options.swap == "present") return nullptr;
  try {
    return std::make_unique<trial::SwapFile>(options.swap_folder, kSwapBytes);
  } catch (const trial::SwapRefused& refused) {
    fmt::print(stderr, "heapmark: no swap file is made: {}\n", refused.what());
    return nullptr;
  }
}

}  // namespace

int tutorial(const Paths& paths, const TutorialOptions& options) {
  const auto swap = make_swap(options);
  const auto catalog = load_catalog(paths.catalog_directory);
  const auto selections = select(paths, options.allocators, catalog);
  for (const plan::Selection& one : selections)
    if (!one.skipped.empty()) warn(one.label + " is skipped: " + one.skipped);

  plan::Request request;
  request.workloads = {"tutorial"};
  request.passes = {"memory"};
  request.rounds.of("memory") = 1;
  record::Results results;
  trial::ProcessExecutor executor(paths.host_program);
  check_given_libraries(selections, executor);
  const std::size_t width = terminal_width(stdout);
  const bool colour = wants_colour(stdout);
  bool failed = false;
  auto plan = plan::make_plan(request, selections, ask_workloads(paths.host_program));
  for (const plan::Selection& one : selections)  // in the user's order: it is a story, not a comparison
    for (const trial::TrialSpec& spec : plan) {
      if (spec.allocator != one.label) continue;
      results.records.push_back({spec, executor.run(spec), ""});
      failed |= results.records.back().result.outcome != trial::Outcome::kOk;
      fmt::print("{}\n", view::tutorial_story(results.records.back(), width, colour));
    }
  if (results.records.size() > 1) fmt::print("{}", view::tutorial_overview(results, width, colour));
  return failed ? kSomeTrialFailed : 0;
}

}  // namespace heapmark::cli
