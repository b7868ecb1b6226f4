// See same_output.h.
#include "harness/cli/same_output.h"

#include <fmt/format.h>

#include <algorithm>

namespace heapmark::cli {
namespace {

std::string words(const trial::Output& output) {
  return fmt::format("{} bytes, hash {}", output.bytes, output.hash);
}

}  // namespace

void require_same_output(const record::Results& results, const trial::TrialSpec& spec,
                         trial::TrialResult& result) {
  if (!spec.command || spec.command->ignore_output || !result.output || result.outcome != trial::Outcome::kOk)
    return;
  const std::string& baseline = results.asked.baseline;
  const auto good = [&](const record::Record& one) {
    return one.spec.workload == spec.workload && one.spec.variant == spec.variant && one.result.output &&
           one.result.outcome == trial::Outcome::kOk;
  };
  const auto reference =
      std::find_if(results.records.begin(), results.records.end(),
                   [&](const record::Record& one) { return good(one) && one.spec.allocator == baseline; });
  if (reference == results.records.end()) {
    if (spec.allocator != baseline) return;
    for (const record::Record& one : results.records)
      if (good(one) && one.result.output != result.output) {
        result.notes.push_back(fmt::format("it printed something else ({}) than with {} before ({})",
                                           words(*result.output), one.spec.allocator,
                                           words(*one.result.output)));
        return;
      }
    return;
  }
  if (reference->result.output == result.output) return;
  const bool varies =
      spec.allocator == baseline ||
      std::any_of(results.records.begin(), results.records.end(), [&](const record::Record& one) {
        return good(one) && one.spec.allocator == spec.allocator &&
               one.result.output == reference->result.output;
      });
  result.outcome = trial::Outcome::kOutputDiffers;
  result.message = fmt::format(
      "it printed something else ({}) than in {}'s first trial ({}){}", words(*result.output), baseline,
      words(*reference->result.output),
      varies ? ": it does so from one trial to the next on the same allocator too; where that is meant, give "
               "--ignore-output"
             : "; where what it prints is not always the same, give --ignore-output");
}

}  // namespace heapmark::cli
