// Figures from made-up files of the kernel, and from one that cannot be read.
#include "harness/machine/kernel_files.h"

#include <catch2/catch.hpp>

#include "testing/folder.h"

using namespace heapmark::machine;
using heapmark::testing::Folder;

TEST_CASE("a number is found behind its own key alone, whatever stands behind the others") {
  const Folder folder;
  folder.write("events", "low 0\noom_kill_disable 1\nmax none\noom_kill 7\nbad x\n");
  CHECK(number_behind(folder.file("events"), "oom_kill") == 7);
  CHECK_FALSE(number_behind(folder.file("events"), "oom"));
  CHECK_FALSE(number_behind(folder.file("events"), "bad"));
  CHECK_FALSE(number_behind(folder.file("none"), "oom_kill"));
}

TEST_CASE("a file that begins with a number, one that does not, and none") {
  const Folder folder;
  folder.write("peak", "4096\n");
  folder.write("max", "max\n");
  CHECK(number_in(folder.file("peak")) == 4096);
  CHECK_FALSE(number_in(folder.file("max")));
  CHECK_FALSE(number_in(folder.file("none")));
}

// As where a process ends, or a cgroup goes, between opening its file and reading it.
TEST_CASE("a file that can be opened and not be read gives nothing, and no exception") {
  CHECK(text_of("/proc/self/mem").empty());  // page 0 is never there: EIO
  CHECK(heapmark::testing::contents("/proc/self/mem").empty());
  CHECK(text_of("/none").empty());
}
