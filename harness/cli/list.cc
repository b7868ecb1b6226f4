#include "harness/cli/list.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "harness/cli/known.h"
#include "harness/cli/list_json.h"
#include "harness/cli/list_text.h"
#include "harness/plan/did_you_mean.h"
#include "harness/plan/usage_error.h"

namespace heapmark::cli {
namespace {

// What is known, asked for once and only where a section needs it.
class Known {
 public:
  explicit Known(const Paths& paths) : paths_(paths) {}

  // Every allocator of the catalog, those not for use as well.
  const std::vector<plan::Selection>& allocators() {
    if (allocators_.empty()) allocators_ = select_everything(paths_);
    return allocators_;
  }
  const std::vector<plan::WorkloadInfo>& workloads() {
    if (workloads_.empty()) workloads_ = ask_workloads(paths_.host_program);
    return workloads_;
  }

 private:
  const Paths& paths_;
  std::vector<plan::Selection> allocators_;
  std::vector<plan::WorkloadInfo> workloads_;
};

struct Section {
  std::string name;
  std::string (*text)(Known&);
  json (*as_json)(Known&);
};

const std::array<Section, 4> kSections = {{
    {"allocators", [](Known& known) { return allocators_text(known.allocators()); },
     [](Known& known) { return allocators_json(known.allocators()); }},
    {"workloads", [](Known& known) { return workloads_text(known.workloads()); },
     [](Known& known) { return workloads_json(known.workloads()); }},
    {"passes", [](Known&) { return passes_text(); }, [](Known&) { return passes_json(); }},
    {"metrics", [](Known& known) { return metrics_text(known.workloads()); },
     [](Known& known) { return metrics_json(known.workloads()); }},
}};

}  // namespace

const std::vector<std::string>& list_sections() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const Section& section : kSections) all.push_back(section.name);
    return all;
  }();
  return names;
}

int list(const Paths& paths, std::string_view what, bool as_json) {
  const std::vector<std::string>& known_sections = list_sections();
  if (!what.empty() && std::find(known_sections.begin(), known_sections.end(), what) == known_sections.end())
    throw UsageError(plan::unknown("list", what, known_sections));
  Known known(paths);
  std::vector<std::string> texts;
  json document = json::object();
  for (const Section& section : kSections) {
    if (!what.empty() && what != section.name) continue;
    if (as_json)
      document[section.name] = section.as_json(known);
    else
      texts.push_back(section.text(known));
  }
  if (as_json)
    fmt::print("{}\n", document.dump(1));
  else
    fmt::print("{}", fmt::join(texts, "\n"));
  return 0;
}

}  // namespace heapmark::cli
