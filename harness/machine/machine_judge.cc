// What the facts of a machine mean for figures of time and memory: one function a subject, each with the
// cause and the fix. Pure; the facts come from machine.cc.
#include <fmt/format.h>

#include "harness/machine/machine.h"

namespace heapmark::machine {
namespace {

using Weight = Finding::Weight;

constexpr std::uint64_t kMebibyte = std::uint64_t{1} << 20;
// The standard workloads hold up to about half a gibibyte; twice that keeps the kernel from reclaiming.
constexpr std::uint64_t kWantedBytes = 1024 * kMebibyte;
constexpr std::uint64_t kUsualMapCount =
    65530;  // the kernel's default, Documentation/admin-guide/sysctl/vm.rst
constexpr double kQuietLoad = 0.5;

std::string mebibytes(std::uint64_t bytes) {
  return fmt::format("{} MiB", bytes / kMebibyte);
}

Finding fine(std::string subject, std::string found) {
  return {Weight::kFine, std::move(subject), std::move(found), "", ""};
}

Finding huge_pages(const Machine& machine) {
  const std::string subject = "transparent huge pages";
  if (machine.thp == "always")
    return {Weight::kDistorts, subject, "always",
            "one touch may bring in 2 MiB: RSS moves in large steps and minor faults are hidden",
            "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled"};
  return fine(subject, machine.thp.value_or("not in this kernel"));
}

Finding overcommit(const Machine& machine) {
  const std::string subject = "overcommit";
  if (machine.overcommit == 2)
    return {Weight::kDistorts, subject, "2 (strict)",
            "address space counts as memory: allocators that reserve it in advance are refused",
            "sysctl vm.overcommit_memory=0"};
  if (machine.overcommit == 1)
    return {Weight::kNote, subject, "1 (always)",
            "no request is refused before memory is gone: only heapmark's own limits make requests fail",
            "sysctl vm.overcommit_memory=0"};
  if (!machine.overcommit) return {Weight::kNote, subject, "not known", "cannot be read here", ""};
  return fine(subject, "0 (heuristic)");
}

Finding address_randomization(const Machine& machine) {
  const std::string subject = "ASLR";
  if (machine.aslr == 0)
    return {Weight::kDistorts, subject, "off",
            "every trial gets the same layout, good or bad luck included: rounds cannot average it out",
            "sysctl kernel.randomize_va_space=2"};
  if (!machine.aslr) return {Weight::kNote, subject, "not known", "cannot be read here", ""};
  return {Weight::kNote, subject, fmt::format("on ({})", *machine.aslr),
          "layout differs from trial to trial; heapmark's rounds average over it",
          "leave it on; more rounds"};
}

Finding frequency(const Machine& machine) {
  const std::string subject = "CPU governor";
  if (!machine.governor)
    return {Weight::kNote, subject, "not visible",
            "often so on virtual machines: the clock may change without being seen", "more rounds"};
  if (*machine.governor != "performance")
    return {Weight::kDistorts, subject, *machine.governor,
            "the clock follows the load: early trials are slower", "cpupower frequency-set -g performance"};
  return fine(subject, "performance");
}

Finding processors(const Machine& machine) {
  const std::string found = fmt::format("{} usable", machine.cpus);
  if (machine.cpus < 2)
    return {Weight::kDistorts, "CPUs", found,
            "threads take turns on one CPU: contention and scaling are not measured", "allow more CPUs"};
  return fine("CPUs", found);
}

Finding processor_quota(const Machine& machine) {
  const std::string subject = "cgroup CPU quota";
  if (!machine.cgroup_cpus) return fine(subject, "none");
  return {Weight::kDistorts, subject, fmt::format("{:.2f} CPUs", *machine.cgroup_cpus),
          "a trial that uses more is stopped for milliseconds at a time",
          "start without --cpus or CPUQuota="};
}

Finding other_load(const Machine& machine) {
  const std::string found = fmt::format("{:.2f} in the last minute", machine.load_1min);
  if (machine.load_1min > kQuietLoad)
    return {Weight::kDistorts, "other load", found, "others share CPUs, caches and memory with the trials",
            "end other work (a build just done still counts for a minute)"};
  return fine("other load", found);
}

Finding memory(const Machine& machine) {
  const std::string found =
      fmt::format("{} of {} available", mebibytes(machine.available_bytes), mebibytes(machine.memory_bytes));
  if (machine.available_bytes < kWantedBytes)
    return {Weight::kDistorts, "memory", found,
            "the kernel may take pages back in mid-trial: RSS comes out too low",
            "end other programs, or use --quick"};
  return fine("memory", found);
}

Finding free_pages(const Machine& machine) {
  const std::string subject = "free pages";
  if (!machine.reports_free_pages) return fine(subject, "no virtio device reports them to a host");
  return {
      Weight::kDistorts, subject, "go back to the host",
      "the first write to a page that was free for some seconds waits for the host: times scatter, most of "
      "all where much memory is given back and taken again",
      "more rounds, or a machine without free page reporting (a balloon device)"};
}

Finding memory_limit(const Machine& machine) {
  const std::string subject = "cgroup memory limit";
  if (!machine.cgroup_limit_bytes) return fine(subject, "none");
  const std::string found = mebibytes(*machine.cgroup_limit_bytes);
  if (*machine.cgroup_limit_bytes < kWantedBytes)
    return {Weight::kDistorts, subject, found, "trials near it are slowed down by reclaim, or killed",
            "start with a larger limit"};
  return {Weight::kNote, subject, found, "far above what the standard workloads hold", ""};
}

Finding swap(const Machine& machine) {
  if (machine.swap_bytes == 0)
    return {Weight::kNote, "swap", "none",
            "no page of malloc's can come back from disk: nothing is said of major faults under pressure",
            "heapmark tutorial --swap file, as root, makes a swap file for the time and removes it"};
  return fine("swap", mebibytes(machine.swap_bytes));
}

Finding mappings(const Machine& machine) {
  const std::string subject = "mappings a process";
  if (!machine.max_map_count) return {Weight::kNote, subject, "not known", "cannot be read here", ""};
  const std::string found = fmt::format("{}", *machine.max_map_count);
  if (*machine.max_map_count < kUsualMapCount)
    return {Weight::kDistorts, subject, found, "allocators that map or release many ranges are refused early",
            fmt::format("sysctl vm.max_map_count={}", kUsualMapCount)};
  return fine(subject, found);
}

Finding tracing(const Machine& machine) {
  if (!machine.ptrace_allowed)
    return {Weight::kPrevents, "ptrace", "forbidden",
            "the ledger pass cannot count trims, purges and releases",
            "sysctl kernel.yama.ptrace_scope=1; docker run --cap-add=SYS_PTRACE"};
  return fine("ptrace", "allowed");
}

Finding filtering(const Machine& machine) {
  if (!machine.seccomp_allowed)
    return {Weight::kPrevents, "seccomp", "forbidden", "the ledger pass cannot pick out the memory calls",
            "docker run --security-opt seccomp=unconfined, or a kernel with CONFIG_SECCOMP_FILTER"};
  return fine("seccomp", "allowed");
}

}  // namespace

std::vector<Finding> judge(const Machine& machine) {
  return {huge_pages(machine),   overcommit(machine), address_randomization(machine),
          frequency(machine),    processors(machine), processor_quota(machine),
          other_load(machine),   memory(machine),     free_pages(machine),
          memory_limit(machine), swap(machine),       mappings(machine),
          tracing(machine),      filtering(machine)};
}

}  // namespace heapmark::machine
