#include "harness/record/results_lock.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "testing/folder.h"

using Catch::Contains;
using heapmark::record::FileInUse;
using heapmark::record::ResultsLock;
using heapmark::testing::Folder;

TEST_CASE("a second writer of a results file is refused, and told who holds it") {
  const Folder folder;
  const std::string file = folder.file("r.json");
  {
    const ResultsLock lock(file);
    CHECK_THROWS_WITH(ResultsLock(file), Contains(file + " is being written by process " +
                                                  std::to_string(getpid()) + " on the host "));
    CHECK_NOTHROW(ResultsLock(folder.file("other.json")));
  }
  CHECK_NOTHROW(ResultsLock(file));
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("the lock of a writer that was killed holds nobody up") {
  const Folder folder;
  const std::string file = folder.file("r.json");
  int ready[2];
  REQUIRE(pipe(ready) == 0);
  const pid_t child = fork();
  if (child == 0) {
    const ResultsLock lock(file);
    (void)!write(ready[1], "x", 1);
    for (;;) pause();
  }
  char byte = 0;
  REQUIRE(read(ready[0], &byte, 1) == 1);
  CHECK_THROWS_AS(ResultsLock(file), FileInUse);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  CHECK_NOTHROW(ResultsLock(file));
  close(ready[0]);
  close(ready[1]);
}
