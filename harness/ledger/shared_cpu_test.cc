// Where the follower and the followed run, as the kernel says it.
#include "harness/ledger/shared_cpu.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

using heapmark::ledger::SharedCpu;

namespace {

cpu_set_t cpus_of(pid_t thread) {
  cpu_set_t set;
  REQUIRE(sched_getaffinity(thread, sizeof set, &set) == 0);
  return set;
}

class Child {
 public:
  Child() : pid_(fork()) {
    if (pid_ == 0) {
      for (;;) pause();
    }
    REQUIRE(pid_ > 0);
  }
  ~Child() { end(); }
  void end() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  pid_t pid_;
};

}  // namespace

TEST_CASE("both are on one CPU, and afterwards where they were") {
  const cpu_set_t before = cpus_of(0);
  Child followed, another;
  SharedCpu shared;
  shared.begin(followed.pid());
  REQUIRE(shared.is_on());
  const cpu_set_t own = cpus_of(0), of_followed = cpus_of(followed.pid());
  CHECK(CPU_COUNT(&own) == 1);
  CHECK(CPU_EQUAL(&own, &of_followed));
  REQUIRE(sched_setaffinity(another.pid(), sizeof own, &own) == 0);  // as one that was started meanwhile
  shared.release(another.pid());
  shared.end();
  CHECK_FALSE(shared.is_on());
  for (const pid_t thread : {pid_t{0}, followed.pid(), another.pid()}) {
    const cpu_set_t now = cpus_of(thread);
    CHECK(CPU_EQUAL(&now, &before));
  }
  shared.begin(followed.pid());
  CHECK_FALSE(shared.is_on());
}

TEST_CASE("a process that is gone, or ends meanwhile, leaves the follower where it was") {
  const cpu_set_t before = cpus_of(0);
  Child gone;
  const pid_t number = gone.pid();
  gone.end();
  {
    SharedCpu shared;
    shared.begin(number);
    CHECK_FALSE(shared.is_on());
  }
  {
    Child followed;
    SharedCpu shared;
    shared.begin(followed.pid());
    REQUIRE(shared.is_on());
    followed.end();
    shared.end_without_followed();
    CHECK_FALSE(shared.is_on());
  }
  const cpu_set_t now = cpus_of(0);
  CHECK(CPU_EQUAL(&now, &before));
}
