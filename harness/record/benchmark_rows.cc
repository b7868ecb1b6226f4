// See benchmark_rows.h. The format: docs/tools.md and src/json_reporter.cc of Google Benchmark 1.7.
#include "harness/record/benchmark_rows.h"

#include <cmath>

namespace heapmark::record {

std::vector<json> benchmark_rows(const Results& results) {
  std::vector<json> rows;
  for (const auto& [spec, result, host] : results.records) {
    const bool ok = result.outcome == trial::Outcome::kOk;
    if (ok && spec.pass != "speed") continue;
    const std::string name = spec.workload + "/" + spec.variant + "/" + spec.pass + "/" + spec.allocator;
    json row{{"name", name},
             {"run_name", name},
             {"run_type", "iteration"},
             {"repetitions", results.asked.request.rounds.of(spec.pass)},
             {"repetition_index", spec.round},
             {"threads", 1}};
    for (const auto& [parameter, value] : spec.parameters)
      if (parameter == "threads") row["threads"] = std::stoul(value);
    if (!ok) {
      row["error_occurred"] = true;
      row["error_message"] = std::string(outcome_name(result.outcome)) + ": " + result.message;
      rows.push_back(std::move(row));
      continue;
    }
    const bool server = result.metrics.contains("load_seconds");
    const bool command = server || result.metrics.contains("wall_seconds");  // one run of it is an operation
    const auto real = result.metrics.find(server ? "load_seconds" : command ? "wall_seconds" : "ns_per_op");
    const auto cpu = result.metrics.find(command ? "cpu_seconds" : "cpu_ns_per_op");
    if (real == result.metrics.end() || cpu == result.metrics.end()) continue;
    row["iterations"] = result.operations;
    row["real_time"] = real->second * (command ? 1e9 : 1);
    row["cpu_time"] = cpu->second * (command ? 1e9 : 1);
    row["time_unit"] = "ns";
    for (const auto& [metric, value] : result.metrics)
      if (metric != "ns_per_op" && metric != "cpu_ns_per_op" && !std::isnan(value)) row[metric] = value;
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace heapmark::record
