// See list_json.h.
#include "harness/cli/list_json.h"

#include "workloads/contract/pass.h"

namespace heapmark::cli {

json allocators_json(const std::vector<plan::Selection>& selections) {
  json all = json::array();
  for (const plan::Selection& selection : selections) {
    const plan::Allocator& allocator = selection.allocator;
    json tunables = json::array();
    for (const plan::Tunable& tunable : allocator.tunables) {
      json row{{"name", tunable.name}, {"type", tunable.type},   {"default", tunable.default_value},
               {"unit", tunable.unit}, {"scale", tunable.scale}, {"help", tunable.help}};
      if (tunable.range) row["range"] = {tunable.range->first, tunable.range->second};
      if (tunable.search) row["search"] = {tunable.search->first, tunable.search->second};
      tunables.push_back(std::move(row));
    }
    all.push_back({{"name", allocator.name},
                   {"summary", allocator.summary},
                   {"package", allocator.package},
                   {"library", selection.library},
                   {"version", selection.version},
                   {"skipped", selection.skipped},
                   {"not_for_use", allocator.not_for_use},
                   {"tunables", std::move(tunables)}});
  }
  return all;
}

json passes_json() {
  json all = json::array();
  for (const PassInfo& pass : kPassTable)
    all.push_back({{"name", pass.name},
                   {"question", pass.question},
                   {"how", pass.how},
                   {"rounds", pass.rounds},
                   {"quick_rounds", pass.quick_rounds}});
  return all;
}

json workloads_json(const std::vector<plan::WorkloadInfo>& workloads) {
  json all = json::array();
  for (const plan::WorkloadInfo& workload : workloads) {
    json variants = json::array(), parameters = json::array();
    for (const plan::WorkloadVariant& variant : workload.variants)
      variants.push_back({{"name", variant.name},
                          {"passes", variant.passes},
                          {"sets", variant.sets},
                          {"quick_sets", variant.quick_sets},
                          {"ledger_sets", variant.ledger_sets},
                          {"speed_sets", variant.speed_sets}});
    for (const plan::WorkloadParameter& parameter : workload.parameters) {
      json row{{"name", parameter.name},
               {"kind", parameter.kind},
               {"default", parameter.default_value},
               {"help", parameter.help}};
      if (parameter.kind == "choice" || parameter.kind == "sizes")
        row["choices"] = parameter.choices;
      else
        row["range"] = {parameter.min, parameter.max};
      parameters.push_back(std::move(row));
    }
    all.push_back({{"name", workload.name},
                   {"group", workload.group},
                   {"summary", workload.summary},
                   {"variants", std::move(variants)},
                   {"parameters", std::move(parameters)}});
  }
  return all;
}

json metrics_json(const std::vector<plan::WorkloadInfo>& workloads) {
  json all = json::object();
  for (const plan::WorkloadInfo& workload : workloads)
    for (const plan::Metric& metric : workload.metrics)
      all[workload.name][metric.name] = {{"unit", metric.unit},
                                         {"better", metric.better},
                                         {"passes", metric.passes},
                                         {"headline", metric.headline},
                                         {"help", metric.help}};
  return all;
}

}  // namespace heapmark::cli
