// See context.h.
#include "harness/record/context.h"

#include <fmt/chrono.h>

#include <chrono>

namespace heapmark::record {
namespace {

template <typename T>
json or_null(const std::optional<T>& value) {
  return value ? json(*value) : json(nullptr);
}

}  // namespace

json context_of(const machine::Machine& machine, const std::string& executable, const std::string& command,
                const std::string& git_revision) {
  return {{"date", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::now()))},
          {"host_name", machine.host_name},
          {"executable", executable},
          {"num_cpus", machine.cpus},
          {"cpu_scaling_enabled", machine.governor && *machine.governor != "performance"},
          {"load_avg", {machine.load_1min}},
          {"library_build_type", "release"},
          {"cpu_model", machine.cpu_model},
          {"kernel", machine.kernel},
          {"libc", machine.libc},
          {"thp", or_null(machine.thp)},
          {"overcommit", or_null(machine.overcommit)},
          {"aslr", or_null(machine.aslr)},
          {"governor", or_null(machine.governor)},
          {"cgroup_limit_bytes", or_null(machine.cgroup_limit_bytes)},
          {"memory_bytes", machine.memory_bytes},
          {"swap_bytes", machine.swap_bytes},
          {"max_map_count", or_null(machine.max_map_count)},
          {"reports_free_pages", machine.reports_free_pages},
          {"git_revision", git_revision},
          {"command", command}};
}

}  // namespace heapmark::record
