// A recording that ends before its program does: the trace is there while the program still runs.
#include <signal.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "harness/cli/tests/recording.h"

namespace heapmark::testing {
namespace {

using Catch::Contains;
using trace::End;
using trace::Op;

constexpr std::chrono::seconds kLimit{60};  // of what takes no second

std::uint32_t number(End end) {
  return static_cast<std::uint32_t>(end);
}

// The pid that the tool says the signal is to be sent to.
pid_t pid_to_signal(const Waiting& waiting) {
  const std::string words = "kill -USR2 ", said = waiting.said();
  const std::size_t at = said.find(words);
  REQUIRE(at != std::string::npos);
  return std::stoi(said.substr(at + words.size()));
}

// The trace is there and whole, and heapmark and the program go on.
TraceEvents early_trace(const Recording& recording, const Waiting& waiting) {
  const auto is_said = [&] { return waiting.said().find("is written") != std::string::npos; };
  REQUIRE(becomes_true(is_said, kLimit));
  INFO(waiting.said());
  CHECK_FALSE(std::filesystem::exists(recording.raw()));
  REQUIRE(::waitpid(waiting.tool(), nullptr, WNOHANG) == 0);
  return first_trace(recording);
}

// The trace stays as it is when the program ends, and is told of.
void check_end(Recording& recording, Waiting& waiting) {
  INFO(waiting.said());
  const std::string before = contents(recording.output());
  waiting.end();
  recording.ended = end_of(recording.folder, waiting.tool());
  INFO(recording.ended.err);
  CHECK(recording.ended.exit_code == 0);
  CHECK_THAT(recording.ended.err, Contains("the program took"));
  CHECK_THAT(recording.ended.err, Contains("Next: heapmark trace " + recording.folder.file("t.")));
  CHECK(contents(recording.output()) == before);
}

TEST_CASE("the second signal: the trace is there while the program goes on", "[record]") {
  Recording recording;
  Waiting waiting(recording, "steps", {"--signal", "USR2"});
  const pid_t program = pid_to_signal(waiting);
  waiting.say("p");
  REQUIRE(waiting.prints("ready\ndone\n"));
  // A signal that is there before the byte is handled before the byte is read.
  REQUIRE(::kill(program, SIGUSR2) == 0);
  waiting.say("pp");
  REQUIRE(waiting.prints("ready\ndone\ndone\ndone\n"));
  REQUIRE(::kill(program, SIGUSR2) == 0);
  const TraceEvents trace = early_trace(recording, waiting);
  CHECK(trace.count(Op::kMalloc, 3020) == 20);
  CHECK(trace.frees(3020) == 20);
  CHECK(trace.header.end == number(End::kSignal));
  CHECK_THAT(waiting.said(), Contains(recording.output().string() + " is written"));
  waiting.say("p");
  REQUIRE(waiting.prints("ready\ndone\ndone\ndone\ndone\n"));
  check_end(recording, waiting);
}

TEST_CASE("--max: the trace is whole while threads of the program still ask for blocks", "[record]") {
  Recording recording;
  Waiting waiting(recording, "steps", {"--max", "1M"});
  waiting.say("tt");
  const auto is_said = [&] { return waiting.said().find("is written") != std::string::npos; };
  REQUIRE(becomes_true(is_said, kLimit));
  CHECK_FALSE(std::filesystem::exists(recording.raw()));
  // sh became the program by exec: a process of its own.
  REQUIRE(recording.others().size() == 1);
  const TraceEvents trace = read_trace(recording.others()[0]);
  REQUIRE(trace.error.empty());
  CHECK(trace.header.end == number(End::kBudget));
  CHECK(trace.header.lost_events == 0);
  CHECK(trace.header.unknown_frees == 0);
  const std::uint64_t asked = trace.count(Op::kMalloc, 3021), freed = trace.frees(3021);
  CHECK(asked > 10'000);
  CHECK(asked - freed <= 2);
  check_end(recording, waiting);
}

TEST_CASE("--for: the trace is there while the program goes on", "[record]") {
  Recording recording;
  Waiting waiting(recording, "steps", {"--for", "1s"});
  const TraceEvents trace = early_trace(recording, waiting);
  CHECK_THAT(waiting.said(), Contains("--for was over"));
  CHECK(trace.header.events > 0);
  check_end(recording, waiting);
}

TEST_CASE("a trace that cannot be written while the program goes on is written at its end", "[record]") {
  Recording recording;
  // In the way of the process that sh becomes: a folder of the trace's name.
  Waiting waiting(recording, "steps", {"--signal", "USR2"});
  const pid_t program = pid_to_signal(waiting);
  std::filesystem::create_directory(recording.output());
  REQUIRE(::kill(program, SIGUSR2) == 0);
  waiting.say("p");
  REQUIRE(waiting.prints("ready\ndone\n"));
  REQUIRE(::kill(program, SIGUSR2) == 0);
  const auto failed = [&] { return waiting.said().find("tried again when it ends") != std::string::npos; };
  REQUIRE(becomes_true(failed, kLimit));
  CHECK(std::filesystem::exists(recording.raw()));
  std::filesystem::remove(recording.output());
  waiting.end();
  recording.ended = end_of(recording.folder, waiting.tool());
  CHECK(recording.ended.exit_code == 0);
  CHECK(first_trace(recording).count(Op::kMalloc, 3020) == 10);
}

}  // namespace
}  // namespace heapmark::testing
