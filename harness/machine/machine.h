// Facts of the machine that distort memory and time figures: read once, put into every results file, and
// judged by `heapmark doctor`. The reader takes a root directory and a clock of its own so that tests can
// give it a made-up /proc and /sys.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace heapmark::machine {

struct Machine {
  std::string host_name, kernel, libc, cpu_model;
  unsigned cpus = 0;                                // that this process may use
  std::optional<std::string> thp;                   // "always", "madvise", "never"
  std::optional<int> overcommit;                    // vm.overcommit_memory
  std::optional<int> aslr;                          // kernel.randomize_va_space
  std::optional<std::string> governor;              // "performance", ...; absent on many virtual machines
  std::optional<std::uint64_t> cgroup_limit_bytes;  // v1 or v2, the tightest on the way up; absent: no limit
  std::optional<double> cgroup_cpus;                // CPU time a second that the cgroup grants; absent: all
  std::uint64_t memory_bytes = 0, available_bytes = 0, swap_bytes = 0;
  std::optional<std::uint64_t> max_map_count;
  bool reports_free_pages = false;  // to a host that may take them (virtio's free page reporting)
  double load_1min = 0;
  bool ptrace_allowed = false;  // tried, not guessed
  bool seccomp_allowed = false;
};

// Never fails: what cannot be read is absent. Starts two short-lived children to try ptrace and seccomp.
[[nodiscard]] Machine read_machine(const std::filesystem::path& root = "/");

// Bytes that programs can take now: MemAvailable, or the cgroup's limit where that is less. 0 where neither
// can be read.
[[nodiscard]] std::uint64_t available_memory(const std::filesystem::path& root = "/");

// One thing that distorts the figures: what, why it matters, how to fix it.
struct Finding {
  enum class Weight {
    kFine,
    kNote,      // to know when reading the figures
    kDistorts,  // the figures are not what they would be elsewhere
    kPrevents,  // something cannot be measured at all
  } weight;
  std::string subject, found, effect, fix;  // the last two are empty where all is fine
};

// Pure: what the facts mean for measurements; one finding a subject, in a fixed order.
[[nodiscard]] std::vector<Finding> judge(const Machine& machine);

}  // namespace heapmark::machine
