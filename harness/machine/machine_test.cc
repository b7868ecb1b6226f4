// Facts from a made-up /proc and /sys, and what is concluded from them.
#include "harness/machine/machine.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "testing/folder.h"

using namespace heapmark::machine;
using Weight = Finding::Weight;
using Catch::Contains;

namespace {

class Root : public heapmark::testing::Folder {
 public:
  [[nodiscard]] Machine read() const { return read_machine(path()); }
};

// A machine on which there is nothing to find.
Machine quiet_machine() {
  Machine machine;
  machine.cpus = 4;
  machine.thp = "madvise";
  machine.overcommit = 0;
  machine.aslr = 2;
  machine.governor = "performance";
  machine.memory_bytes = machine.available_bytes = std::uint64_t{8} << 30;
  machine.swap_bytes = std::uint64_t{1} << 30;
  machine.max_map_count = 65530;
  machine.ptrace_allowed = machine.seccomp_allowed = true;
  return machine;
}

Finding finding(const Machine& machine, const std::string& subject) {
  for (Finding& one : judge(machine))
    if (one.subject == subject) return one;
  FAIL("no finding for " << subject);
  return {};
}

template <typename Change>
Finding after(Change change, const std::string& subject) {
  Machine machine = quiet_machine();
  change(machine);
  return finding(machine, subject);
}

}  // namespace

TEST_CASE("the facts are read where the kernel keeps them") {
  const Root root;
  root.write("proc/sys/kernel/hostname", "somewhere\n");
  root.write("proc/sys/kernel/osrelease", "6.1.0-test\n");
  root.write("proc/cpuinfo", "processor\t: 0\nmodel\t\t: 85\nmodel name\t: A Processor\n");
  root.write("proc/meminfo",
             "MemTotal:       16000000 kB\nMemFree: 1 kB\nMemAvailable:   9000000 kB\n"
             "SwapTotal:        500000 kB\n");
  root.write("proc/loadavg", "1.25 0.50 0.25 1/100 4242\n");
  root.write("proc/sys/vm/overcommit_memory", "2\n");
  root.write("proc/sys/vm/max_map_count", "65530\n");
  root.write("proc/sys/kernel/randomize_va_space", "2\n");
  root.write("sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never\n");
  root.write("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n");
  root.write("sys/bus/virtio/drivers/virtio_balloon/virtio4/features", "0110010000\n");
  const Machine machine = root.read();
  CHECK(machine.host_name == "somewhere");
  CHECK(machine.kernel == "6.1.0-test");
  CHECK(machine.cpu_model == "A Processor");
  CHECK_THAT(machine.libc, Contains("glibc 2."));
  CHECK(machine.memory_bytes == 16000000ULL * 1024);
  CHECK(machine.available_bytes == 9000000ULL * 1024);
  CHECK(machine.swap_bytes == 500000ULL * 1024);
  CHECK(machine.load_1min == Approx(1.25));
  CHECK(machine.overcommit == 2);
  CHECK(machine.max_map_count == 65530U);
  CHECK(machine.aslr == 2);
  CHECK(machine.thp == "always");
  CHECK(machine.governor == "powersave");
  CHECK(machine.cpus >= 1);
  CHECK(machine.reports_free_pages);
}

TEST_CASE("no free pages are reported without a balloon device, or by one that has not agreed on it") {
  const Root root;
  CHECK_FALSE(root.read().reports_free_pages);
  root.write("sys/bus/virtio/drivers/virtio_balloon/virtio4/features", "011000\n");
  root.write("sys/bus/virtio/drivers/virtio_balloon/uevent", "");
  CHECK_FALSE(root.read().reports_free_pages);
}

TEST_CASE("what cannot be read is absent, not zero") {
  const Root root;
  const Machine machine = root.read();
  CHECK_FALSE(machine.thp);
  CHECK_FALSE(machine.overcommit);
  CHECK_FALSE(machine.aslr);
  CHECK_FALSE(machine.governor);
  CHECK_FALSE(machine.cgroup_limit_bytes);
  CHECK_FALSE(machine.cgroup_cpus);
  CHECK_FALSE(machine.max_map_count);
}

TEST_CASE("in cgroup v2 the tightest limit on the way up binds") {
  const Root root;
  root.write("proc/self/cgroup", "0::/a/b/c\n");
  root.write("sys/fs/cgroup/a/b/c/memory.max", "max\n");
  root.write("sys/fs/cgroup/a/b/memory.max", "2000000000\n");
  root.write("sys/fs/cgroup/a/memory.max", "1000000000\n");
  root.write("sys/fs/cgroup/a/b/c/cpu.max", "max 100000\n");
  root.write("sys/fs/cgroup/a/b/cpu.max", "150000 100000\n");
  const Machine machine = root.read();
  CHECK(machine.cgroup_limit_bytes == 1000000000U);
  CHECK(machine.cgroup_cpus == 1.5);
}

TEST_CASE("in cgroup v1 the controllers have places of their own") {
  const Root root;
  root.write("proc/self/cgroup", "4:memory:/box\n2:cpu,cpuacct:/box\n0::/\n");
  root.write("sys/fs/cgroup/memory/box/memory.limit_in_bytes", "500000000\n");
  root.write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  root.write("sys/fs/cgroup/cpu/box/cpu.cfs_quota_us", "200000\n");
  root.write("sys/fs/cgroup/cpu/box/cpu.cfs_period_us", "100000\n");
  root.write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
  root.write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  const Machine machine = root.read();
  CHECK(machine.cgroup_limit_bytes == 500000000U);
  CHECK(machine.cgroup_cpus == 2.0);
}

TEST_CASE("in a container, where the own cgroup is not visible, its mount tells the limit") {
  const Root root;
  root.write("proc/self/cgroup", "0::/docker/0123\n");
  root.write("sys/fs/cgroup/memory.max", "300000000\n");
  CHECK(root.read().cgroup_limit_bytes == 300000000U);
  root.write("sys/fs/cgroup/memory.max", "max\n");
  CHECK_FALSE(root.read().cgroup_limit_bytes);
}

TEST_CASE("this machine can be read") {
  const Machine machine = read_machine();
  CHECK_FALSE(machine.kernel.empty());
  CHECK(machine.memory_bytes > machine.available_bytes);
  CHECK(machine.available_bytes > 0);
}

TEST_CASE("nothing distorts the figures on a quiet machine") {
  for (const Finding& one : judge(quiet_machine())) {
    CAPTURE(one.subject, one.found, one.effect);
    CHECK(one.weight <= Weight::kNote);
  }
}

TEST_CASE("each fact that distorts the figures is found, with its effect and its fix") {
  const std::vector<std::pair<std::string, Finding>> findings = {
      {"thp", after([](Machine& m) { m.thp = "always"; }, "transparent huge pages")},
      {"overcommit", after([](Machine& m) { m.overcommit = 2; }, "overcommit")},
      {"aslr", after([](Machine& m) { m.aslr = 0; }, "ASLR")},
      {"governor", after([](Machine& m) { m.governor = "powersave"; }, "CPU governor")},
      {"cpus", after([](Machine& m) { m.cpus = 1; }, "CPUs")},
      {"quota", after([](Machine& m) { m.cgroup_cpus = 1.5; }, "cgroup CPU quota")},
      {"load", after([](Machine& m) { m.load_1min = 3; }, "other load")},
      {"memory", after([](Machine& m) { m.available_bytes = 1 << 20; }, "memory")},
      {"free pages", after([](Machine& m) { m.reports_free_pages = true; }, "free pages")},
      {"limit", after([](Machine& m) { m.cgroup_limit_bytes = 100 << 20; }, "cgroup memory limit")},
      {"mappings", after([](Machine& m) { m.max_map_count = 1000; }, "mappings a process")}};
  for (const auto& [name, one] : findings) {
    CAPTURE(name);
    CHECK(one.weight == Weight::kDistorts);
    CHECK_FALSE(one.effect.empty());
    CHECK_FALSE(one.fix.empty());
  }
}

TEST_CASE("where ptrace or seccomp is forbidden the ledger is prevented") {
  CHECK(after([](Machine& m) { m.ptrace_allowed = false; }, "ptrace").weight == Weight::kPrevents);
  CHECK(after([](Machine& m) { m.seccomp_allowed = false; }, "seccomp").weight == Weight::kPrevents);
}

TEST_CASE("without swap nothing is claimed of major faults") {
  const Finding none = after([](Machine& m) { m.swap_bytes = 0; }, "swap");
  CHECK(none.weight == Weight::kNote);
  CHECK_THAT(none.effect, Contains("major faults"));
}
