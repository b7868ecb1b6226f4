#include "harness/machine/machine.h"

#include <gnu/libc-version.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <fstream>
#include <sstream>
#include <string_view>

#include "harness/machine/own_cgroup.h"

namespace heapmark::machine {
namespace {

namespace fs = std::filesystem;

std::string first_line(const fs::path& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line;
}

template <typename Number>
std::optional<Number> number_in(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  Number value{};
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) return std::nullopt;
  return value;
}

template <typename Number>
std::optional<Number> number_of(const fs::path& file) {
  return number_in<Number>(first_line(file));
}

// What stands behind "key:" in /proc/cpuinfo, or behind "key" in /proc/meminfo.
std::string value_of_key(const fs::path& file, std::string_view key) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with(key)) continue;
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const std::size_t start = line.find_first_not_of(" \t", colon + 1);
    return start == std::string::npos ? "" : line.substr(start);
  }
  return "";
}

std::uint64_t meminfo_bytes(const fs::path& root, std::string_view key) {
  return number_in<std::uint64_t>(value_of_key(root / "proc/meminfo", key)).value_or(0) * 1024;
}

// "always [madvise] never" -> "madvise"
std::optional<std::string> chosen_word(const std::string& line) {
  const std::size_t open = line.find('['), close = line.find(']');
  if (open == std::string::npos || close == std::string::npos || close < open) return std::nullopt;
  return line.substr(open + 1, close - open - 1);
}

// Virtual I/O Device (VIRTIO) 1.2, 5.5.3: feature bit 5 of a balloon device. The kernel writes the bits that
// were agreed on as digits, bit 0 first.
bool reports_free_pages(const fs::path& root) {
  constexpr std::size_t kReporting = 5;
  std::error_code none;
  for (const fs::directory_entry& device :
       fs::directory_iterator(root / "sys/bus/virtio/drivers/virtio_balloon", none)) {
    const std::string bits = first_line(device.path() / "features");
    if (bits.size() > kReporting && bits[kReporting] == '1') return true;
  }
  return false;
}

unsigned usable_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) return static_cast<unsigned>(CPU_COUNT(&set));
  const long online = sysconf(_SC_NPROCESSORS_ONLN);  // more CPUs than cpu_set_t can hold
  return online > 0 ? static_cast<unsigned>(online) : 0;
}

std::optional<std::string> governor(const fs::path& root) {
  const std::string word = first_line(root / "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
  if (word.empty()) return std::nullopt;
  return word;
}

// The least of what `read` finds in a cgroup and all above it: a limit binds everything below. In a container
// the own directory may not be visible, its mount point is.
template <typename Value, typename Read>
void tighten(std::optional<Value>& least, const OwnCgroup& group, Read read) {
  if (!group.is_there()) return;
  for (fs::path directory = (group.own / "").parent_path();; directory = directory.parent_path()) {
    if (const std::optional<Value> value = read(directory); value && (!least || *value < *least))
      least = value;
    if (directory.string().size() <= group.mount.string().size()) return;
  }
}

std::optional<std::uint64_t> cgroup_limit(const fs::path& root) {
  // v1 writes "no limit" as the largest page-aligned number.
  constexpr std::uint64_t kNoLimit = std::uint64_t{1} << 60;
  std::optional<std::uint64_t> least;
  const auto limit_in = [](const char* name) {
    return [name](const fs::path& directory) {
      const auto bytes = number_of<std::uint64_t>(directory / name);  // v2's "max" is no number
      return bytes && *bytes < kNoLimit ? bytes : std::nullopt;
    };
  };
  tighten(least, own_cgroup(root, "memory"), limit_in("memory.limit_in_bytes"));
  tighten(least, own_cgroup(root, ""), limit_in("memory.max"));
  return least;
}

std::optional<double> cgroup_cpus(const fs::path& root) {
  std::optional<double> least;
  const auto share = [](std::optional<double> quota, std::optional<double> period) -> std::optional<double> {
    if (!quota || !period || *quota <= 0 || *period <= 0) return std::nullopt;  // v1: -1 is no quota
    return *quota / *period;
  };
  tighten(least, own_cgroup(root, "cpu"), [&](const fs::path& directory) {
    return share(number_of<double>(directory / "cpu.cfs_quota_us"),
                 number_of<double>(directory / "cpu.cfs_period_us"));
  });
  tighten(least, own_cgroup(root, ""), [&](const fs::path& directory) {
    std::istringstream line(first_line(directory / "cpu.max"));  // "max 100000" or "200000 100000"
    std::string quota, period;
    line >> quota >> period;
    return share(number_in<double>(quota), number_in<double>(period));
  });
  return least;
}

// Forks a child that only makes system calls, runs `judge_child` on it, and makes sure that it is gone.
template <typename Child, typename Judge>
bool with_child(Child child, Judge judge_child) {
  const pid_t pid = fork();
  if (pid < 0) return false;
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    _exit(child());
  }
  return judge_child(pid);
}

int wait_for(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, __WALL) < 0 && errno == EINTR) {
  }
  return status;
}

// As the ledger does it: seize a child from outside.
bool try_ptrace() {
  return with_child(
      [] {
        pause();
        return 0;
      },
      [](pid_t pid) {
        const bool seized = ptrace(PTRACE_SEIZE, pid, nullptr, nullptr) == 0;
        kill(pid, SIGKILL);
        wait_for(pid);
        return seized;
      });
}

bool try_seccomp() {
  return with_child(
      [] {
        sock_filter allow[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
        sock_fprog program = {1, allow};
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return 1;
        return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0 ? 0 : 1;
      },
      [](pid_t pid) {
        const int status = wait_for(pid);
        return WIFEXITED(status) && WEXITSTATUS(status) == 0;
      });
}

}  // namespace

Machine read_machine(const fs::path& root) {
  Machine machine;
  machine.host_name = first_line(root / "proc/sys/kernel/hostname");
  machine.kernel = first_line(root / "proc/sys/kernel/osrelease");
  machine.libc = std::string("glibc ") + gnu_get_libc_version();
  machine.cpu_model = value_of_key(root / "proc/cpuinfo", "model name");
  machine.cpus = usable_cpus();
  machine.thp = chosen_word(first_line(root / "sys/kernel/mm/transparent_hugepage/enabled"));
  machine.overcommit = number_of<int>(root / "proc/sys/vm/overcommit_memory");
  machine.aslr = number_of<int>(root / "proc/sys/kernel/randomize_va_space");
  machine.governor = governor(root);
  machine.cgroup_limit_bytes = cgroup_limit(root);
  machine.cgroup_cpus = cgroup_cpus(root);
  machine.memory_bytes = meminfo_bytes(root, "MemTotal");
  machine.available_bytes = meminfo_bytes(root, "MemAvailable");
  machine.swap_bytes = meminfo_bytes(root, "SwapTotal");
  machine.max_map_count = number_of<std::uint64_t>(root / "proc/sys/vm/max_map_count");
  machine.reports_free_pages = reports_free_pages(root);
  machine.load_1min = number_of<double>(root / "proc/loadavg").value_or(0);
  machine.ptrace_allowed = try_ptrace();
  machine.seccomp_allowed = try_seccomp();
  return machine;
}

std::uint64_t available_memory(const fs::path& root) {
  const std::uint64_t available = meminfo_bytes(root, "MemAvailable");
  return std::min(available, cgroup_limit(root).value_or(available));
}

}  // namespace heapmark::machine
