// See excerpt.h.
#include "harness/view/excerpt.h"

#include <algorithm>

#include "harness/plan/did_you_mean.h"
#include "harness/plan/usage_error.h"

namespace heapmark::view {
namespace {

bool has(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string name_of(const stats::Statistic& one) {
  return one.workload + "/" + one.variant + ":" + one.metric;
}

// Throws for the first of `asked` that is not among `known`.
void check(const std::vector<std::string>& asked, const std::vector<std::string>& known, const char* flag,
           const char* kind) {
  for (const std::string& name : asked)
    if (!has(known, name)) throw UsageError(std::string(flag) + ": " + plan::unknown(kind, name, known));
}

}  // namespace

void cut_to(const Excerpt& excerpt, record::Results& results, stats::Analysis& analysis) {
  std::vector<std::string> labels, figures;
  for (const record::AllocatorFound& one : results.allocators) labels.push_back(one.label);
  for (const stats::Statistic& one : analysis.statistics)
    if (const std::string name = name_of(one); !has(figures, name)) figures.push_back(name);
  check(excerpt.allocators, labels, "-a", "allocator of this file");
  check(excerpt.figures, figures, "--figures", "figure of this file");
  if (!excerpt.allocators.empty()) {
    std::erase_if(results.allocators, [&](const auto& one) { return !has(excerpt.allocators, one.label); });
    std::erase_if(analysis.statistics,
                  [&](const auto& one) { return !has(excerpt.allocators, one.allocator); });
  }
  if (excerpt.figures.empty()) return;
  std::erase_if(analysis.statistics, [&](const auto& one) { return !has(excerpt.figures, name_of(one)); });
}

}  // namespace heapmark::view
