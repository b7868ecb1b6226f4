#include "harness/machine/oom_kills.h"

#include <catch2/catch.hpp>

#include "testing/folder.h"

using namespace heapmark::machine;
using Root = heapmark::testing::Folder;  // a made-up /proc and /sys

TEST_CASE("a kill at a limit, one for want of memory in the machine, and one by somebody are told apart") {
  CHECK(oom_kill_between({3, 10, false}, {3, 12, false}) == OomKill::kNone);
  CHECK(oom_kill_between({3, 10, false}, {4, 12, false}) == OomKill::kCgroupLimit);
  CHECK(oom_kill_between({3, 10, false}, {4, 10, false}) == OomKill::kMachine);
}

TEST_CASE("in cgroup v1 kills are counted in the own cgroup and limits on the way up") {
  const Root root;
  root.write("proc/self/cgroup", "5:cpu,memory:/box/inner\n4:cpuset:/\n0::/elsewhere\n");
  root.write("sys/fs/cgroup/memory/box/inner/memory.oom_control",
             "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n");
  root.write("sys/fs/cgroup/memory/box/inner/memory.failcnt", "0\n");
  root.write("sys/fs/cgroup/memory/box/memory.failcnt", "7\n");
  root.write("sys/fs/cgroup/memory/box/memory.memsw.failcnt", "1\n");
  root.write("sys/fs/cgroup/memory/memory.failcnt", "4\n");
  const OomCounters counters = read_oom_counters(root.path());
  CHECK(counters.kills == 2);
  CHECK(counters.limit_hits == 7 + 1 + 4);
}

TEST_CASE("in cgroup v1 a kernel that counts no hits is seen through by the peak") {
  const Root root;
  root.write("proc/self/cgroup", "4:memory:/box\n");
  root.write("sys/fs/cgroup/memory/box/memory.oom_control", "oom_kill 0\n");
  root.write("sys/fs/cgroup/memory/box/memory.failcnt", "0\n");
  root.write("sys/fs/cgroup/memory/box/memory.limit_in_bytes", "67108864\n");
  root.write("sys/fs/cgroup/memory/box/memory.max_usage_in_bytes", "1000000\n");
  root.write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  root.write("sys/fs/cgroup/memory/memory.max_usage_in_bytes", "900000000\n");
  const OomCounters before = read_oom_counters(root.path());
  root.write("sys/fs/cgroup/memory/box/memory.oom_control", "oom_kill 1\n");
  CHECK(oom_kill_between(before, read_oom_counters(root.path())) == OomKill::kMachine);
  root.write("sys/fs/cgroup/memory/box/memory.max_usage_in_bytes", "67108864\n");
  CHECK(oom_kill_between(before, read_oom_counters(root.path())) == OomKill::kCgroupLimit);
}

TEST_CASE("in cgroup v2 memory.events has both") {
  const Root root;
  root.write("proc/self/cgroup", "0::/box/inner\n");
  root.write("sys/fs/cgroup/box/inner/memory.events", "low 0\nhigh 0\nmax 9\noom 0\noom_kill 5\n");
  root.write("sys/fs/cgroup/box/memory.events", "low 0\nhigh 0\nmax 9\noom 3\noom_kill 6\n");
  const OomCounters counters = read_oom_counters(root.path());
  CHECK(counters.kills == 5);
  CHECK(counters.limit_hits == 3);
}

TEST_CASE("where the own cgroup cannot be seen its mount point is read, and without cgroups nothing") {
  const Root root;
  CHECK(read_oom_counters(root.path()).kills == 0);
  root.write("proc/self/cgroup", "4:memory:/hidden\n");
  root.write("sys/fs/cgroup/memory/memory.oom_control", "oom_kill 1\n");
  root.write("sys/fs/cgroup/memory/memory.failcnt", "3\n");
  CHECK(read_oom_counters(root.path()).kills == 1);
  CHECK(read_oom_counters(root.path()).limit_hits == 3);
}
