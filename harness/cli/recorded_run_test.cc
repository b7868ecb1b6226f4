// `heapmark record` as its user meets it: exit codes, messages, names, what a killed heapmark leaves.
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "harness/cli/exit_codes.h"
#include "harness/cli/tests/recording.h"

namespace heapmark::testing {
namespace {

using Catch::Contains;
using trace::Op;

TEST_CASE("the program's output and exit code pass through", "[record]") {
  Recording recording;
  record_into(recording, {"sh", "-c", "echo said; exit 7"});
  CHECK(recording.ended.exit_code == 7);
  CHECK(recording.ended.out == "said\n");
  CHECK_THAT(recording.ended.err, Contains("heapmark run -w trace:" + recording.output().string()));
}

TEST_CASE("without -o the trace is named after the program", "[record]") {
  Recording recording;
  const std::string here = recording.folder.path();
  recording.ended = tool(recording.folder, {"exec", "-a", "glibc", "--", "sh", "-c",
                                            "cd " + here + " && " + build_folder() + "/heapmark record -- " +
                                                recorded_program() + " exit 0"});
  INFO(recording.ended.err);
  CHECK(recording.ended.exit_code == 0);
  CHECK(read_trace(recording.folder.path() / "recorded.hmtrace").count(Op::kMalloc, 3019) == 1);
}

TEST_CASE("a program that cannot be recorded is refused with the reason and a code of its own", "[record]") {
  Recording recording;
  record_into(recording, {build_folder() + "/static_program"});
  CHECK(recording.ended.exit_code == cli::kNotRecordable);
  CHECK_THAT(recording.ended.err, Contains("statically linked"));
  CHECK(recording.ended.out.empty());
  record_into(recording, {"/no/such/program"});
  CHECK(recording.ended.exit_code == 127);
  record_into(recording, {recording.folder.path()});
  CHECK(recording.ended.exit_code == 126);
  const std::string set_id = recording.folder.file("set-id");
  std::filesystem::copy_file(recorded_program(), set_id);
  if (::geteuid() == 0 && ::chown(set_id.c_str(), 65534, 65534) == 0 && ::chmod(set_id.c_str(), 04755) == 0) {
    record_into(recording, {set_id, "exit", "0"});
    CHECK(recording.ended.exit_code == cli::kNotRecordable);
    CHECK_THAT(recording.ended.err, Contains("user"));
  }
  // Not static, but it never loads the recorder.
  record_into(recording, {"env", "-u", "LD_PRELOAD", recorded_program(), "exit", "3"});
  CHECK(recording.ended.exit_code == 3);  // env itself was recorded
  CHECK_FALSE(std::filesystem::exists(recording.raw()));
}

TEST_CASE("mistakes in the command line are named", "[record]") {
  Recording recording;
  const auto refused = [&](const std::vector<std::string>& flags, const std::string& words) {
    record_into(recording, {recorded_program(), "exit", "0"}, flags);
    INFO(recording.ended.err);
    CHECK(recording.ended.exit_code == 2);
    CHECK_THAT(recording.ended.err, Contains(words));
    CHECK_FALSE(std::filesystem::exists(recording.output()));
  };
  refused({"--max", "12"}, "--max takes a size from 1M up");
  refused({"--for", "soon"}, "--for takes a time");
  refused({"--signal", "FOO"}, "--signal takes the name of a signal");
  refused({"-a", "nosuch"}, "nosuch");
  refused({"--finish", recording.output()}, "--finish takes no command");
  const Ended none = tool(recording.folder, {"record", "--finish", recording.output()});
  CHECK(none.exit_code == 2);
  CHECK_THAT(none.err, Contains("nothing is left"));
  const Ended nowhere = tool(recording.folder, {"record", "-o", "/no/such/folder/t.hmtrace", "--", "true"});
  CHECK(nowhere.exit_code == 1);
  CHECK_THAT(nowhere.err, Contains("/no/such/folder/t.hmtrace"));
}

TEST_CASE("a trace that is there is not written over unasked", "[record]") {
  Recording recording;
  recording.folder.write("t.hmtrace", "mine");
  record_into(recording, {recorded_program(), "exit", "0"});
  CHECK(recording.ended.exit_code == 2);
  CHECK_THAT(recording.ended.err, Contains("--force"));
  CHECK(contents(recording.output()) == "mine");
  record_into(recording, {recorded_program(), "exit", "0"}, {"--force"});
  CHECK(recording.ended.exit_code == 0);
  CHECK(first_trace(recording).count(Op::kMalloc, 3019) == 1);
}

TEST_CASE("two recordings into one file: the second is refused", "[record]") {
  Recording recording;
  const Waiting first(recording);
  const Folder elsewhere;
  const Ended second = tool(elsewhere, {"record", "--force", "-o", recording.output(), "--", "true"});
  CHECK(second.exit_code == 6);
  CHECK_THAT(second.err, Contains("is being written by"));
  const Ended finish = tool(elsewhere, {"record", "--finish", recording.output()});
  CHECK(finish.exit_code == 6);
  first.say("x");
  CHECK(end_of(recording.folder, first.tool()).exit_code == 0);
  REQUIRE(recording.others().size() == 1);
  CHECK(read_trace(recording.others()[0]).count(Op::kMalloc, 3019) == 1);
}

TEST_CASE("what a killed heapmark leaves is closed by --finish", "[record]") {
  Recording recording;
  const Waiting first(recording);
  REQUIRE(::kill(first.tool(), SIGKILL) == 0);
  REQUIRE(::waitpid(first.tool(), nullptr, 0) == first.tool());
  REQUIRE(std::filesystem::exists(recording.raw()));
  const Folder elsewhere;
  const Ended again = tool(elsewhere, {"record", "-o", recording.output(), "--", "true"});
  CHECK(again.exit_code == 2);
  CHECK_THAT(again.err, Contains("--finish"));
  const Ended finished = tool(elsewhere, {"record", "--finish", recording.output()});
  INFO(finished.err);
  CHECK(finished.exit_code == 0);
  CHECK_FALSE(std::filesystem::exists(recording.raw()));
  REQUIRE(recording.others().size() == 1);
  CHECK(read_trace(recording.others()[0]).count(Op::kMalloc, 3019) == 1);
  first.say("x");
}

TEST_CASE("a raw recording that is damaged or foreign is refused", "[record]") {
  Recording recording;
  const auto finish = [&] { return tool(recording.folder, {"record", "--finish", recording.output()}); };
  recording.folder.write("t.hmtrace.raw", "short");
  CHECK(finish().exit_code == 1);
  CHECK_THAT(finish().err, Contains("no raw recording"));
  recording.folder.write("t.hmtrace.raw", std::string(100000, 'x'));
  CHECK(finish().exit_code == 1);
  CHECK_THAT(finish().err, Contains("no raw recording"));
}

}  // namespace
}  // namespace heapmark::testing
