#include "harness/cli/list.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <string>

#include "harness/cli/list_text.h"
#include "harness/plan/did_you_mean.h"
#include "harness/plan/usage_error.h"

namespace heapmark::cli {
namespace {

// Every allocator of the catalog, those not for use as well.
std::string list_allocators(const Paths& paths) {
  const std::vector<plan::Allocator> catalog = plan::load_catalog(paths.catalog_directory);
  return allocators_text(plan::select(plan::names_of(catalog), catalog,
                                      plan::machine_search(paths.program_directory), paths.noop_library));
}

}  // namespace

int list(const Paths& paths, std::string_view what) {
  static const std::array<std::string, 3> kWhats = {"allocators", "workloads", "metrics"};
  if (!what.empty() && std::find(kWhats.begin(), kWhats.end(), what) == kWhats.end())
    throw UsageError(plan::unknown("list", what, kWhats));
  const auto wanted = [&](std::string_view one) { return what.empty() || what == one; };
  std::vector<std::string> texts;
  if (wanted("allocators")) texts.push_back(list_allocators(paths));
  if (wanted("workloads") || wanted("metrics")) {
    const std::vector<plan::WorkloadInfo> workloads = plan::ask_workloads(paths.host_program);
    if (wanted("workloads")) texts.push_back(workloads_text(workloads));
    if (wanted("metrics")) texts.push_back(metrics_text(workloads));
  }
  fmt::print("{}", fmt::join(texts, "\n"));
  return 0;
}

}  // namespace heapmark::cli
