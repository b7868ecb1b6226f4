// What is read of a machine for the pressure pass, from made-up files: where cgroups are mounted, what is in
// the way of making one, stalls and swap.
#include "harness/machine/memory_pressure.h"

#include <catch2/catch.hpp>
#include <fstream>

using namespace heapmark::machine;
using Catch::Contains;
namespace fs = std::filesystem;

namespace {

const std::string kV1 = "cgroup /sys/fs/cgroup/memory cgroup rw,relatime,memory 0 0\n";
const std::string kV2 = "cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n";
constexpr uid_t kRoot = 0, kUser = 1000;

class FakeRoot {
 public:
  FakeRoot() : path_(fs::temp_directory_path() / ("heapmark-pressure-" + std::to_string(::getpid()))) {
    fs::create_directories(path_);
  }
  ~FakeRoot() { fs::remove_all(path_); }
  void write(const std::string& file, const std::string& text) const {
    fs::create_directories((path_ / file).parent_path());
    std::ofstream(path_ / file) << text;
  }
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

}  // namespace

TEST_CASE("the memory controller is found in v1, else in v2, else nowhere") {
  CHECK(find_memory_hierarchy(kV2 + kV1) == MemoryHierarchy{CgroupVersion::kV1, "/sys/fs/cgroup/memory"});
  CHECK(find_memory_hierarchy(kV2) == MemoryHierarchy{CgroupVersion::kV2, "/sys/fs/cgroup/unified"});
  CHECK_FALSE(find_memory_hierarchy("cgroup /c cgroup rw,cpu 0 0\nproc /proc proc rw 0 0\n"));
}

TEST_CASE("each thing in the way of a memory cgroup has a message of its own that says what to do") {
  const FakeRoot root;
  root.write("proc/mounts", "proc /proc proc rw 0 0\n");
  CHECK_THAT(why_no_memory_cgroup(root.path(), kRoot), Contains("no memory cgroup is mounted"));

  root.write("proc/mounts", kV1);
  CHECK_THAT(why_no_memory_cgroup(root.path(), kUser), Contains("only root") && Contains("sudo"));
  CHECK_THAT(why_no_memory_cgroup(root.path(), kRoot),
             Contains("(cgroup v1) cannot be written") && Contains("--privileged"));
  root.write("sys/fs/cgroup/memory/tasks", "");
  CHECK(why_no_memory_cgroup(root.path(), kRoot).empty());

  root.write("proc/mounts", kV2);
  CHECK_THAT(why_no_memory_cgroup(root.path(), kRoot), Contains("no memory controller"));
  root.write("sys/fs/cgroup/unified/cgroup.controllers", "cpu memory pids\n");
  CHECK(why_no_memory_cgroup(root.path(), kRoot).empty());
}

TEST_CASE("stalls are read of both kinds, and their absence is told apart from none") {
  const FakeRoot root;
  CHECK_THAT(why_no_stalls(root.path()), Contains("psi=1"));
  root.write("proc/pressure/memory",
             "some avg10=0.00 avg60=1.00 avg300=0.00 total=3018183\n"
             "full avg10=0.00 avg60=0.50 avg300=0.00 total=1242706\n");
  const auto stalls = read_stalls(root.path() / "proc/pressure/memory");
  REQUIRE(stalls);
  CHECK(stalls->some_us == 3018183);
  CHECK(stalls->full_us == 1242706);
  CHECK(why_no_stalls(root.path()).empty());
  root.write("proc/pressure/memory", "");  // psi=0: it can be opened, and reading fails
  CHECK_FALSE(read_stalls(root.path() / "proc/pressure/memory"));
}

TEST_CASE("pages swapped out are counted in bytes, and a table without a row is no swap") {
  const FakeRoot root;
  CHECK_FALSE(swapped_out_bytes(root.path()));
  root.write("proc/vmstat", "pswpin 7\npswpout 3\npgmajfault 1\n");
  CHECK(swapped_out_bytes(root.path()) == 3 * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)));
  root.write("proc/swaps", "Filename Type Size Used Priority\n");
  CHECK_FALSE(has_swap(root.path()));
  root.write("proc/swaps", "Filename Type Size Used Priority\n/dev/zram0 partition 1 0 -2\n");
  CHECK(has_swap(root.path()));
}
