#include "harness/plan/workload_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "workloads/contract/ledger_metrics.h"
#include "workloads/contract/pressure_metrics.h"

namespace heapmark::plan {
namespace {

using nlohmann::json;

// nlohmann-json's own exceptions tell the key, not where it is missing; this says both.
template <typename T>
T member(const json& object, const char* key, const std::string& place) {
  try {
    return object.at(key).get<T>();
  } catch (const json::exception& error) {
    throw std::runtime_error(fmt::format("{}: {}: {}", place, key, error.what()));
  }
}

// The rows of an array, each turned by `read(row, place)`.
template <typename Read>
auto rows(const json& object, const char* key, const std::string& place, Read read) {
  const auto array = member<json::array_t>(object, key, place);
  std::vector<decltype(read(array[0], place))> all;
  for (std::size_t i = 0; i < array.size(); ++i)
    all.push_back(read(array[i], fmt::format("{}.{}[{}]", place, key, i)));
  return all;
}

Metric read_metric(const json& row, const std::string& place) {
  return {.name = member<std::string>(row, "name", place),
          .unit = member<std::string>(row, "unit", place),
          .better = member<std::string>(row, "better", place),
          .help = member<std::string>(row, "help", place),
          .passes = member<std::vector<std::string>>(row, "passes", place),
          .headline = member<bool>(row, "headline", place)};
}

WorkloadParameter read_parameter(const json& row, const std::string& place) {
  return {.name = member<std::string>(row, "name", place),
          .kind = member<std::string>(row, "kind", place),
          .default_value = member<std::string>(row, "default", place),
          .choices = member<std::string>(row, "choices", place),
          .help = member<std::string>(row, "help", place),
          .min = member<double>(row, "min", place),
          .max = member<double>(row, "max", place)};
}

WorkloadVariant read_variant(const json& row, const std::string& place) {
  return {.name = member<std::string>(row, "name", place),
          .passes = member<std::vector<std::string>>(row, "passes", place),
          .sets = member<std::string>(row, "sets", place),
          .quick_sets = member<std::string>(row, "quick_sets", place),
          .ledger_sets = member<std::string>(row, "ledger_sets", place),
          .speed_sets = member<std::string>(row, "speed_sets", place)};
}

WorkloadInfo read_workload(const json& row, const std::string& place) {
  return {.name = member<std::string>(row, "name", place),
          .group = member<std::string>(row, "group", place),
          .summary = member<std::string>(row, "summary", place),
          .parameters = rows(row, "parameters", place, read_parameter),
          .variants = rows(row, "variants", place, read_variant),
          .metrics = rows(row, "metrics", place, read_metric)};
}

std::vector<std::string> passes_of(unsigned mask) {
  std::vector<std::string> names;
  for (const PassInfo& pass : kPassTable)
    if ((mask & pass.pass) != 0) names.emplace_back(pass.name);
  return names;
}

// What is measured from outside, for every workload alike.
template <std::size_t N>
std::vector<Metric> metrics_of(const MetricInfo (&rows)[N]) {
  std::vector<Metric> metrics;
  for (const MetricInfo& one : rows)
    metrics.push_back({.name = one.name,
                       .unit = one.unit,
                       .better = better_name(one.better),
                       .help = one.help,
                       .passes = passes_of(one.passes),
                       .headline = one.headline});
  return metrics;
}

}  // namespace

std::vector<WorkloadInfo> parse_workloads(std::string_view describe_json) {
  json document;
  try {
    document = json::parse(describe_json);
  } catch (const json::exception& error) {
    throw std::runtime_error(fmt::format("heapmark-host describe: {}", error.what()));
  }
  const std::string place = "heapmark-host describe";
  std::vector<WorkloadInfo> workloads = rows(document, "workloads", place, read_workload);
  const std::vector<Metric> common = rows(document, "common_metrics", place, read_metric);
  const std::vector<Metric> ledger = metrics_of(kLedgerMetrics), pressure = metrics_of(kPressureMetrics);
  for (WorkloadInfo& workload : workloads) {
    workload.metrics.insert(workload.metrics.end(), common.begin(), common.end());
    workload.metrics.insert(workload.metrics.end(), ledger.begin(), ledger.end());
    workload.metrics.insert(workload.metrics.end(), pressure.begin(), pressure.end());
  }
  return workloads;
}

std::vector<const Metric*> expected_metrics(const WorkloadInfo& workload, std::string_view pass) {
  std::vector<const Metric*> expected;
  for (const Metric& metric : workload.metrics)
    if (std::find(metric.passes.begin(), metric.passes.end(), pass) != metric.passes.end())
      expected.push_back(&metric);
  return expected;
}

}  // namespace heapmark::plan
