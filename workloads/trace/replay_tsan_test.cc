// The replay's threads under ThreadSanitizer: a host built with it, which the measured one never is, replays
// a trace whose threads free each other's blocks, start and end. Only in the preset tsan.
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <string>
#include <vector>

#include "harness/trace/example_trace.h"
#include "testing/folder.h"
#include "workloads/contract/outcome.h"
#include "workloads/contract/report.h"

namespace heapmark::testing {
namespace {

struct Replayed {
  int exit_code = -1;
  Outcome outcome{};
  std::string message, said;
};

Replayed replayed(const Folder& folder, const std::vector<std::string>& more) {
  const std::string host = std::string(std::getenv("HEAPMARK_BUILD_DIR")) + "/heapmark-host-tsan";
  const int fd = ::memfd_create("report", 0);
  REQUIRE(fd >= 0);
  REQUIRE(::ftruncate(fd, sizeof(Report)) == 0);
  // The sanitizer's malloc is in the program itself.
  std::string command = host + " run --workload=replay --seed=1 --library=" + host +
                        " --report-fd=" + std::to_string(fd) + " --set=file=" + folder.file("t.hmtrace");
  for (const std::string& one : more) command += " " + one;
  const int status = std::system((command + " 2>" + folder.file("err")).c_str());
  Replayed made{WEXITSTATUS(status), {}, {}, contents(folder.file("err"))};
  void* const at = ::mmap(nullptr, sizeof(Report), PROT_READ, MAP_SHARED, fd, 0);
  REQUIRE(at != MAP_FAILED);
  made.outcome = static_cast<Outcome>(static_cast<const Report*>(at)->outcome);
  made.message = static_cast<const Report*>(at)->message;
  ::munmap(at, sizeof(Report));
  ::close(fd);
  return made;
}

TEST_CASE("the replay's threads have no data race, in every pass that runs them") {
  const Folder folder;
  trace::ExampleOptions options;
  options.events = 8'000;
  options.threads = 12;
  options.max_bytes = 2000;
  options.segment_events = 512;
  trace::write_example(folder.path() / "t.hmtrace", options);
  for (const std::vector<std::string>& more :
       std::vector<std::vector<std::string>>{{"--pass=speed"},
                                             {"--pass=speed", "--check"},
                                             {"--pass=speed", "--set=touch=all", "--set=repeat=2"},
                                             {"--pass=memory", "--set=from=0.4", "--set=to=0.8"},
                                             {"--pass=memory", "--set=pace=recorded"},
                                             {"--pass=latency"}}) {
    const Replayed made = replayed(folder, more);
    INFO(more.back());
    INFO(made.message);
    INFO(made.said);
    CHECK(made.exit_code == 0);
    CHECK(made.outcome == Outcome::kOk);
    CHECK(made.said.find("ThreadSanitizer") == std::string::npos);
  }
}

}  // namespace
}  // namespace heapmark::testing
