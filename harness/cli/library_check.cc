// See library_check.h.
#include "harness/cli/library_check.h"

#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <set>
#include <utility>

#include "harness/cli/exit_codes.h"
#include "harness/cli/terminal.h"

namespace heapmark::cli {

namespace {

std::string contents(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

std::vector<trial::TrialSpec> check_trials(const plan::Selection& selection) {
  // Small blocks on one thread, and blocks of all sizes that other threads free.
  const trial::Pairs works[] = {
      {{"sizes", "small"}, {"live", "2M"}, {"operations", "100000"}, {"threads", "1"}, {"idle_ms", "0"}},
      {{"sizes", "mixed"}, {"live", "8M"}, {"operations", "40000"}, {"threads", "4"}, {"idle_ms", "0"}}};
  std::vector<trial::TrialSpec> trials;
  for (const trial::Pairs& parameters : works) {
    trial::TrialSpec& spec = trials.emplace_back();
    spec.id = trials.size();
    spec.allocator = selection.label;
    spec.preload = selection.preload;
    spec.library = selection.library;
    spec.environment = plan::environment_of(selection);
    spec.workload = "churn";
    spec.parameters = parameters;
    spec.pass = "memory";
    spec.check = true;
    spec.timeout = std::chrono::seconds(30);
  }
  return trials;
}

std::vector<std::string> same_libraries(const std::vector<plan::Selection>& selections) {
  std::vector<std::string> sentences;
  for (std::size_t at = 0; at < selections.size(); ++at)
    for (std::size_t other = at + 1; other < selections.size(); ++other) {
      const plan::Selection &one = selections[at], &two = selections[other];
      if (!one.given_by_path || !two.given_by_path || one.allocator.name == two.allocator.name ||
          one.tunables != two.tunables || one.library.empty() || two.library.empty())
        continue;
      const bool same = one.library == two.library ||
                        (!one.build_id.empty() ? one.build_id == two.build_id
                                               : contents(one.library) == contents(two.library));
      if (same)
        sentences.push_back(
            fmt::format("{} and {} are the same library (build id {}): their figures can only "
                        "differ by noise",
                        one.label, two.label, one.build_id.empty() ? "none" : one.build_id));
    }
  return sentences;
}

void check_given_libraries(const std::vector<plan::Selection>& selections, trial::Executor& executor) {
  std::set<std::pair<std::string, trial::Pairs>> checked;
  for (const plan::Selection& selection : selections) {
    if (!selection.given_by_path || !selection.skipped.empty()) continue;
    if (!checked.emplace(selection.library, selection.tunables).second) continue;
    warn(fmt::format("checking {} for about a second", selection.library));
    for (const trial::TrialSpec& spec : check_trials(selection)) {
      const trial::TrialResult result = executor.run(spec);
      if (result.outcome != trial::Outcome::kCheckFailed) continue;
      throw Failure(kLibraryRefused,
                    fmt::format("{} ({}) is refused: {}. Nothing was measured; leave it out of -a, or "
                                "repair it",
                                selection.label, selection.library, result.message));
    }
  }
}

}  // namespace heapmark::cli
