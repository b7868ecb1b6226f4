#include "harness/trial/tree_cgroup.h"

#include <catch2/catch.hpp>
#include <string>

#include "testing/folder.h"

using namespace heapmark::trial;
using heapmark::testing::contents;
using heapmark::testing::Folder;
namespace fs = std::filesystem;

TEST_CASE("version 1: a directory in each hierarchy, below the own one, with the bound written") {
  const Folder root;
  root.write("proc/self/cgroup", "8:pids:/outer\n4:memory:/\n0::/\n");
  fs::create_directories(root.path() / "sys/fs/cgroup/pids/outer");
  fs::create_directories(root.path() / "sys/fs/cgroup/memory");
  const TreeCgroup cgroup = TreeCgroup::make("trial", 40, root.path());
  const std::string pids = "sys/fs/cgroup/pids/outer/trial/", memory = "sys/fs/cgroup/memory/trial/";
  REQUIRE(cgroup.has_pids());
  REQUIRE(cgroup.has_memory());
  CHECK(contents(root.file(pids + "pids.max")) == "40");
  root.write(pids + "cgroup.procs", "7\n12\n");
  root.write(pids + "pids.events", "max 3\n");
  root.write(memory + "memory.stat", "cache 5\nrss 6\ntotal_rss 8192\n");
  root.write(memory + "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n");
  CHECK(cgroup.processes() == std::vector<int>{7, 12});
  CHECK(cgroup.forks_refused() == 3);
  CHECK(cgroup.anonymous_bytes() == 8192);
  CHECK(cgroup.oom_kills() == 2);
  cgroup.forbid_forks();
  CHECK(contents(root.file(pids + "pids.max")) == "0");
}

TEST_CASE("where no cgroup can be made, nothing is asked of any") {
  const Folder root;
  const TreeCgroup cgroup = TreeCgroup::make("trial", 40, root.path());
  CHECK(cgroup.directories().empty());
  CHECK_FALSE(cgroup.has_pids());
  CHECK(cgroup.processes().empty());
  CHECK(cgroup.forks_refused() == 0);
  CHECK_FALSE(cgroup.anonymous_bytes().has_value());
  CHECK(cgroup.oom_kills() == 0);
  cgroup.forbid_forks();
  cgroup.remove();
}
