// What stops a recording and what a program does to the recorder: in each case the program goes on
// undisturbed, and what was recorded is whole.
#include <signal.h>
#include <sys/mount.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "harness/cli/tests/recording.h"
#include "testing/soon.h"

namespace heapmark::testing {
namespace {

using Catch::Contains;
using trace::End;
using trace::Op;

std::uint32_t number(End end) {
  return static_cast<std::uint32_t>(end);
}

void check_pairs(const TraceEvents& trace, std::uint64_t count, std::uint64_t size) {
  INFO("blocks of " << size);
  CHECK(trace.count(Op::kMalloc, size) == count);
  CHECK(trace.frees(size) == count);
}

TEST_CASE("a program that closes every descriptor is recorded, and its descriptors are its own", "[record]") {
  Recording recording;
  record_into(recording, {recorded_program(), "close-all"});
  INFO(recording.ended.err);
  REQUIRE(recording.ended.exit_code == 0);
  check_pairs(first_trace(recording), 100000, 3007);
}

TEST_CASE("a program that shuts itself in and gives up its rights is recorded", "[record]") {
  if (::geteuid() != 0) {
    WARN("skipped: chroot(2) takes root");
    return;
  }
  Recording recording;
  std::filesystem::create_directory(recording.folder.path() / "empty");
  record_into(recording, {recorded_program(), "shut-in", recording.folder.file("empty")});
  INFO(recording.ended.err);
  REQUIRE(recording.ended.exit_code == 0);
  check_pairs(first_trace(recording), 100000, 3012);
  REQUIRE(recording.others().size() == 1);
  check_pairs(read_trace(recording.others()[0]), 30000, 3013);
}

TEST_CASE("a program killed in the middle loses no event", "[record]") {
  Recording recording;
  record_into(recording, {recorded_program(), "kill", "50000"});
  CHECK(recording.ended.exit_code == 137);
  CHECK_THAT(recording.ended.err, Contains("signal 9"));
  const TraceEvents trace = first_trace(recording);
  check_pairs(trace, 50000, 3008);
  CHECK(trace.header.end == number(End::kKilled));
}

TEST_CASE("a limit on the size of files does not end a recorded program", "[record]") {
  Recording recording;
  record_into(recording, {recorded_program(), "file-limit"});
  INFO(recording.ended.err);
  REQUIRE(recording.ended.exit_code == 0);
  const TraceEvents trace = first_trace(recording);
  check_pairs(trace, 100000, 3014);
  CHECK(trace.header.end == number(End::kExit));
}

TEST_CASE("--max ends the recording and not the program", "[record]") {
  Recording recording;
  record_into(recording, {recorded_program(), "pairs", "1000000"}, {"--max", "2M"});
  REQUIRE(recording.ended.exit_code == 0);
  CHECK_THAT(recording.ended.err, Contains("--max was reached"));
  const TraceEvents trace = first_trace(recording);
  CHECK(trace.header.end == number(End::kBudget));
  const std::uint64_t asked = trace.count(Op::kMalloc, 3006), freed = trace.frees(3006);
  CHECK(asked > 100000);
  CHECK(asked < 1000000);
  CHECK(asked - freed <= 1);
}

TEST_CASE("a full disk ends the recording and not the program, and can be finished elsewhere", "[record]") {
  Recording recording;
  const std::string disk = recording.folder.file("disk");
  std::filesystem::create_directory(disk);
  if (::mount("none", disk.c_str(), "tmpfs", 0, "size=2m") != 0) {
    WARN("skipped: no tmpfs can be mounted here (it takes root)");
    return;
  }
  const std::string output = disk + "/t.hmtrace";
  const Ended full = tool(recording.folder, {"record", "--max", "1G", "-o", output, "--", recorded_program(),
                                             "pairs", "1000000"});
  // There is no room for the trace either.
  CHECK(full.exit_code == 1);
  CHECK_THAT(full.err, Contains("heapmark record --finish " + output));
  const Ended finished = tool(recording.folder, {"record", "--finish", output, "-o", recording.output()});
  ::umount(disk.c_str());
  INFO(finished.err);
  REQUIRE(finished.exit_code == 0);
  CHECK_THAT(finished.err, Contains("the disk is full"));
  const TraceEvents trace = read_trace(recording.output());
  REQUIRE(trace.error.empty());
  CHECK(trace.header.end == number(End::kDiskFull));
  CHECK(trace.header.lost_events == 0);
  const std::uint64_t asked = trace.count(Op::kMalloc, 3006), freed = trace.frees(3006);
  CHECK(asked > 100000);
  CHECK(asked - freed <= 1);
}

TEST_CASE("--signal: the first begins the recording, the second ends it", "[record]") {
  Recording recording;
  record_into(recording, {recorded_program(), "by-signal"}, {"--signal", "USR2"});
  REQUIRE(recording.ended.exit_code == 0);
  const TraceEvents trace = first_trace(recording);
  check_pairs(trace, 0, 3016);
  check_pairs(trace, 20, 3017);
  check_pairs(trace, 0, 3018);
  CHECK(trace.header.end == number(End::kSignal));
  CHECK_THAT(recording.ended.err, Contains("kill -USR2 " + std::to_string(trace.header.pid)));
}

TEST_CASE("--for ends the recording while the program goes on", "[record]") {
  Recording recording;
  record_into(
      recording,
      {"sh", "-c", recorded_program() + " pairs 10; sleep 2; " + recorded_program() + " pairs 3000; exit 4"},
      {"--for", "1s"});
  CHECK(recording.ended.exit_code == 4);
  CHECK_THAT(recording.ended.err, Contains("--for was over"));
  std::uint64_t asked = 0;
  for (const auto& path : recording.others()) asked += read_trace(path).count(Op::kMalloc, 3006);
  CHECK(asked == 10);
}

}  // namespace
}  // namespace heapmark::testing
