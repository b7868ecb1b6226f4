#include "harness/trial/command_run.h"

#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "harness/trial/keeper.h"
#include "testing/folder.h"
#include "testing/soon.h"

using namespace heapmark::trial;
using Catch::Contains;
using heapmark::testing::becomes_true;
using heapmark::testing::contents;
using heapmark::testing::Folder;
namespace fs = std::filesystem;

namespace {

std::string built(const std::string& name) {
  return std::string(std::getenv("HEAPMARK_BUILD_DIR")) + "/" + name;
}

TrialSpec spec_of(std::vector<std::string> words, const std::string& pass = "speed") {
  TrialSpec spec;
  spec.allocator = "glibc";
  spec.preload = built("libheapmark-noop.so");
  spec.workload = "it";
  spec.variant = "command";
  spec.pass = pass;
  spec.timeout = std::chrono::seconds(60);
  spec.command = Command{};
  spec.command->words = std::move(words);
  return spec;
}

TrialSpec shell(const std::string& script, const std::string& pass = "speed") {
  return spec_of({"/bin/sh", "-c", script}, pass);
}

TrialResult run(const TrialSpec& spec) {
  return run_command(spec, -1);
}

bool is_alive(pid_t pid) {
  return ::kill(pid, 0) == 0;
}

}  // namespace

TEST_CASE("a command's time and faults are those of its whole process tree") {
  const TrialResult result = run(
      shell("for i in 1 2 3; do (j=0; while [ $j -lt 20000 ]; do j=$((j+1)); done) & done; wait; echo done"));
  REQUIRE(result.outcome == Outcome::kOk);
  CHECK(result.message.empty());
  // The three loops ran in processes of their own: without them next to no CPU time was used.
  CHECK(result.metrics.at("cpu_seconds") > 0.005);
  CHECK(result.metrics.at("wall_seconds") > 0);
  CHECK(result.metrics.at("minor_faults") > 0);
  CHECK(result.output->bytes == 5);
}

TEST_CASE("the allocator is preloaded before what the user preloads, and its variables are set") {
  TrialSpec spec = shell("echo $LD_PRELOAD $TUNED $OWN");
  spec.environment = {{"TUNED", "7"}};
  spec.command->environment = {{"OWN", "mine"}, {"LD_PRELOAD", built("libheapmark-counter.so")}};
  const auto environment = command_environment(spec, 3);
  const std::string preload = "LD_PRELOAD=" + spec.preload + ":" + built("libheapmark-counter.so");
  CHECK(std::count(environment.begin(), environment.end(), preload) == 1);
  CHECK(std::count(environment.begin(), environment.end(), "TUNED=7") == 1);
  CHECK(std::count(environment.begin(), environment.end(), "OWN=mine") == 1);
  CHECK(std::count(environment.begin(), environment.end(), "HEAPMARK_PADDING=xxx") == 1);
}

TEST_CASE("each way in which a command fails has its own outcome and message") {
  const Folder folder;
  std::ofstream(folder.file("plain")) << "echo hello\n";
  std::ofstream(folder.file("orphan")) << "#!/nonexistent/interpreter\n";
  fs::permissions(folder.file("orphan"), fs::perms::owner_all);
  const auto fails = [](const TrialSpec& spec, Outcome outcome, const std::string& words) {
    const TrialResult result = run(spec);
    INFO(result.message);
    CHECK(result.outcome == outcome);
    CHECK_THAT(result.message, Contains(words));
    CHECK_FALSE(result.metrics.contains("wall_seconds"));
  };
  fails(spec_of({"no-such-command-here"}), Outcome::kNotStarted, "no such command in PATH");
  fails(spec_of({folder.file("missing")}), Outcome::kNotStarted, "no such file");
  fails(spec_of({folder.file("plain")}), Outcome::kNotStarted, "Permission denied");
  fails(spec_of({folder.file("orphan")}), Outcome::kNotStarted, "interpreter or loader");
  fails(shell("echo sorry >&2; exit 1"), Outcome::kCommandFailed, "exited with code 1; it said: sorry");
  fails(shell("kill -SEGV $$"), Outcome::kCrashed, "SIGSEGV");
  TrialSpec hangs = shell("echo waiting >&2; sleep 1000");
  hangs.timeout = std::chrono::seconds(1);
  fails(hangs, Outcome::kTimedOut, "killed after 1 s; give it longer by --timeout; it said: waiting");
  TrialSpec elsewhere = shell("true");
  elsewhere.command->directory = folder.file("nowhere");
  fails(elsewhere, Outcome::kNotStarted, "--cwd");
  TrialSpec unread = shell("cat");
  unread.command->input = folder.file("nothing");
  fails(unread, Outcome::kNotStarted, "--input");
  TrialSpec unprepared = shell("true");
  unprepared.command->prepare = "echo no >&2; exit 3";
  fails(unprepared, Outcome::kCommandFailed,
        "--prepare 'echo no >&2; exit 3': exited with code 3; it said: no");
  if (fs::exists("/dev/full"))
    fails(shell("head -c 100 /dev/zero > /dev/full"), Outcome::kCommandFailed, "No space left");
}

TEST_CASE("what a command holds at its end is no sample of a process that goes") {
  // So large that samples come from the cgroup, and that its pages take a while to go.
  const std::string script =
      "use POSIX; my $x = 'a' x (300 << 20); select(undef, undef, undef, 1); POSIX::_exit(0)";
  for (int tries = 0; tries < 4; ++tries) {
    const TrialResult result = run(spec_of({"/usr/bin/perl", "-e", script}, "memory"));
    CAPTURE(result.message, result.rss_source);
    REQUIRE(result.outcome == Outcome::kOk);
    CHECK(result.metrics.at("rss_end_bytes") > 299.0 * 1024 * 1024);
  }
}

TEST_CASE("no cgroup of a trial is left, whatever became of it") {
  TrialSpec unread = shell("cat");
  unread.command->input = "/nonexistent/input";
  CHECK(run(unread).outcome == Outcome::kNotStarted);
  CHECK(run(shell("true")).outcome == Outcome::kOk);
  CHECK(run(spec_of({"/nonexistent/program"})).outcome == Outcome::kNotStarted);
  const std::string own = "heapmark-" + std::to_string(::getpid()) + "-";
  std::error_code error;
  for (fs::recursive_directory_iterator at("/sys/fs/cgroup", error), end; !error && at != end;
       at.increment(error))
    CHECK_FALSE(at->path().filename().string().starts_with(own));
}

TEST_CASE("an exit code that is asked for is no failure, and another is") {
  TrialSpec spec = shell("exit 4");
  spec.command->exit_code = 4;
  CHECK(run(spec).outcome == Outcome::kOk);
  spec.command->words = {"/bin/true"};
  CHECK_THAT(run(spec).message, Contains("exited with code 0"));
}

TEST_CASE("prepare, folder and input are what the command finds") {
  const Folder folder;
  std::ofstream(folder.file("in")) << "given\n";
  TrialSpec spec = shell("cat; cat prepared");
  spec.command->directory = folder.path();
  spec.command->input = folder.file("in");
  spec.command->prepare = "echo made > prepared";
  const TrialResult result = run(spec);
  INFO(result.message);
  REQUIRE(result.outcome == Outcome::kOk);
  const TrialResult same = run(shell("echo given; echo made"));
  CHECK(result.output == same.output);
  CHECK_FALSE(result.output == run(shell("echo given; echo mad")).output);
}

TEST_CASE("a command that forks forever is bounded, ended and named") {
  TrialSpec spec = shell("f() { f & f & wait; }; f");
  spec.command->process_limit = 40;
  spec.timeout = std::chrono::seconds(20);
  if (::geteuid() != 0) return;  // the user's own processes would count
  const TrialResult result = run(spec);
  INFO(result.message);
  CHECK((result.outcome == Outcome::kProcessLimit || result.outcome == Outcome::kTimedOut));
  CHECK(processes_below(::getpid()).empty());
}

TEST_CASE("what a command leaves running is ended with it, also in a session of its own") {
  const Folder folder;
  const TrialResult result =
      run(shell("setsid sh -c 'echo $$ > " + folder.file("pid") + "; exec sleep 1000' & " + "while ! [ -s " +
                folder.file("pid") + " ]; do sleep 0.01; done"));
  REQUIRE(result.outcome == Outcome::kOk);
  REQUIRE(result.notes.size() == 1);
  CHECK_THAT(result.notes[0], Contains("1 process still ran"));
  CHECK_FALSE(is_alive(std::stoi(contents(folder.file("pid")))));
}

TEST_CASE("a command that closes its descriptors, or prints without end, is measured or timed out") {
  CHECK(run(shell("exec <&- >&- 2>&-; exit 0")).outcome == Outcome::kOk);
  TrialSpec endless = shell("yes");
  endless.timeout = std::chrono::seconds(1);
  CHECK(run(endless).outcome == Outcome::kTimedOut);
  const TrialResult much = run(shell("head -c 20000000 /dev/zero"));
  REQUIRE(much.outcome == Outcome::kOk);
  CHECK(much.output->bytes == 20000000);
}

TEST_CASE("an interrupt ends the command and everything that it started") {
  const Folder folder;
  const int interrupted = ::eventfd(0, EFD_CLOEXEC);
  std::thread interrupter([&] {
    CHECK(becomes_true([&] { return !contents(folder.file("pid")).empty(); }, std::chrono::seconds(60)));
    ::eventfd_write(interrupted, 1);
  });
  const TrialResult result =
      run_command(shell("setsid sh -c 'echo $$ > " + folder.file("pid") + "; exec sleep 1000' & sleep 1000"),
                  interrupted);
  interrupter.join();
  ::close(interrupted);
  CHECK(result.outcome == Outcome::kInterrupted);
  CHECK_FALSE(is_alive(std::stoi(contents(folder.file("pid")))));
}
