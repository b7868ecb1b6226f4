// See command_workload.h.
#include "harness/plan/command_workload.h"

#include <fmt/format.h>

#include "harness/plan/usage_error.h"
#include "workloads/contract/ledger_metrics.h"
#include "workloads/contract/metric.h"

namespace heapmark::plan {
namespace {

constexpr MetricInfo kCommandMetrics[] = {
    {"wall_seconds", "s", Better::kLower, kSpeed, true, "from its start to its end, by the clock"},
    {"cpu_seconds", "s", Better::kLower, kSpeed, true,
     "user plus system time of all its processes (getrusage(2), RUSAGE_CHILDREN)"},
    {"user_seconds", "s", Better::kLower, kSpeed, false, "time of all its processes outside the kernel"},
    {"system_seconds", "s", Better::kLower, kSpeed, false, "time of all its processes in the kernel"},
    {"minor_faults", "count", Better::kLower, kSpeed, true, "page faults without I/O, of all its processes"},
    {"major_faults", "count", Better::kLower, kSpeed, false, "page faults with I/O, of all its processes"},
    {"rss_peak_bytes", "bytes", Better::kLower, kMemory, true,
     "most anonymous memory that all its processes together held resident, of the samples"},
    {"rss_mean_bytes", "bytes", Better::kLower, kMemory, true, "the same on average over its time"},
    {"rss_end_bytes", "bytes", Better::kLower, kMemory, true, "the same in the last sample before its end"},
    {"processes_peak", "count", Better::kNeither, kMemory, false, "most processes at one time"},
    {"samples", "count", Better::kNeither, kMemory, false, "how often its memory was looked at"},
    {"sampling_share", "ratio", Better::kNeither, kMemory, false,
     "of its time in which its memory was being looked at: what that can have cost it at most"},
};

constexpr MetricInfo kServerMetrics[] = {
    {"load_seconds", "s", Better::kLower, kSpeed, true, "time of the load command, by the clock"},
    {"cpu_seconds", "s", Better::kLower, kSpeed, true,
     "user plus system time of the server, from its start to its end"},
    {"minor_faults", "count", Better::kLower, kSpeed, true, "page faults of the server without I/O"},
    {"major_faults", "count", Better::kLower, kSpeed, false, "page faults of the server with I/O"},
    {"rss_peak_bytes", "bytes", Better::kLower, kMemory, true,
     "most anonymous memory that all processes of the server together held resident, of the samples"},
    {"rss_settled_bytes", "bytes", Better::kLower, kMemory, true,
     "the same when the time to settle after the load is over"},
    {"rss_ready_bytes", "bytes", Better::kLower, kMemory, false, "the same when the server was ready"},
    {"rss_loaded_bytes", "bytes", Better::kLower, kMemory, true, "the same when the load had ended"},
    {"rss_mean_bytes", "bytes", Better::kLower, kMemory, false, "the same on average over its time"},
    {"processes_peak", "count", Better::kNeither, kMemory, false, "most processes at one time"},
    {"samples", "count", Better::kNeither, kMemory, false, "how often its memory was looked at"},
    {"sampling_share", "ratio", Better::kNeither, kMemory, false,
     "of its time in which its memory was being looked at: what that can have cost it at most"},
};

Metric metric_of(const MetricInfo& info) {
  Metric metric{info.name, info.unit, better_name(info.better), info.help, {}, info.headline};
  for (const PassInfo& pass : kPassTable)
    if ((info.passes & pass.pass) != 0) metric.passes.emplace_back(pass.name);
  return metric;
}

}  // namespace

std::string command_name(const trial::Command& command, const std::string& name) {
  const std::string& program = command.words.at(0);
  const std::string chosen = !name.empty() ? name : program.substr(program.rfind('/') + 1);
  if (chosen.empty() || chosen.find_first_of("/,\"\n\r") != std::string::npos)
    throw UsageError(fmt::format(
        "--name: '{}' cannot stand in a table: a name has no '/', ',', quote or line end", chosen));
  return chosen;
}

WorkloadInfo command_workload(const trial::Command& command, const std::string& name) {
  WorkloadInfo info;
  info.name = command_name(command, name);
  info.group = "command";
  if (command.server) {
    info.group = "server";
    info.summary = fmt::format("{}, under load from outside", command.words.at(0));
    info.variants.push_back({"server", {"speed", "memory"}, "", ""});
    for (const MetricInfo& metric : kServerMetrics) info.metrics.push_back(metric_of(metric));
    if (!command.server->figure.empty())
      info.metrics.push_back(
          {"figure",
           "",
           better_name(command.server->figure_is_cost ? Better::kLower : Better::kHigher),
           fmt::format("what --figure '{}' finds in what the load prints", command.server->figure),
           {"speed"},
           true});
    return info;
  }
  info.summary = fmt::format("{}, measured from outside", command.words.at(0));
  info.variants.push_back({"command", {"speed", "memory", "ledger"}, "", ""});
  for (const MetricInfo& metric : kCommandMetrics) info.metrics.push_back(metric_of(metric));
  for (const MetricInfo& metric : kLedgerMetrics) info.metrics.push_back(metric_of(metric));
  return info;
}

}  // namespace heapmark::plan
