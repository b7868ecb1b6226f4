#include "harness/view/trace_view.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "harness/trace/example_trace.h"
#include "testing/folder.h"

using Catch::Contains;

namespace heapmark::view {
namespace {

trace::TraceFacts example(const trace::ExampleOptions& options = {}) {
  const testing::Folder folder;
  write_example(folder.path() / "t", options);
  trace::TraceReading reading(folder.path() / "t");
  trace::TraceFacts facts = facts_of(reading);
  facts.name = "app.hmtrace";
  return facts;
}

TEST_CASE("a trace's text has its head, its tables and what was out of order") {
  const std::string text = trace_text(example(), 100, false);
  CHECK_THAT(text, Contains("app.hmtrace: example --threads 4\n") &&
                       Contains("recorded 2023-11-14 22:13:20 UTC on none") &&
                       Contains("ended with the program") && Contains("  realloc ") &&
                       Contains("least RSS of any allocator") && Contains("  from 1.00 KiB ") &&
                       Contains("  thread 3 ") && Contains("alignments asked for: 16 B"));
  CHECK_THAT(text, Contains("handed out before they were freed, by the recorded times: 3 blocks") &&
                       Contains("left out: 5 frees") && Contains("lost: at least 7 events"));
  CHECK_THAT(text, !Contains("\033"));
  CHECK_THAT(trace_text(example(), 100, true), Contains("\033[1m"));
}

TEST_CASE("a trace that tells what was written to shows it, and one that does not says what it assumes") {
  trace::ExampleOptions options;
  options.tells_written = true;
  const trace::TraceFacts facts = example(options);
  REQUIRE(facts.told.requests > 100);
  CHECK_THAT(trace_text(facts, 100, false),
             Contains("  written to: ") && Contains("requests whose blocks were looked at") &&
                 Contains("if the program writes to all else: ") && Contains("  more written to "));
  const auto json = nlohmann::json::parse(trace_json(facts));
  CHECK(json.at("told").at("written_bytes") == facts.told.written_bytes);
  CHECK(json.at("peak_written_bytes") < json.at("peak_live_bytes"));
  CHECK_THAT(trace_text(example(), 100, false),
             Contains("if the program writes to all of it: ") && !Contains("written to: "));
}

TEST_CASE("what a file's text holds cannot command the terminal") {
  trace::TraceFacts facts = example();
  facts.text = {{"command", "a\033[2Jb"}};
  CHECK_THAT(trace_text(facts, 100, false), Contains("a?[2Jb") && !Contains("\033"));
}

TEST_CASE("a command line of many lines takes one, cut between characters") {
  trace::TraceFacts facts = example();
  std::string command;
  for (int number = 0; number < 60; ++number) command += "é";
  facts.text = {{"command", command}};
  const std::string text = trace_text(facts, 60, false);
  std::string line = "app.hmtrace: ";
  for (int number = 0; number < 46; ++number) line += "é";
  CHECK_THAT(text, Catch::StartsWith(line + "…\n"));
}

TEST_CASE("a trace without times counts in events, and an empty one has a text") {
  trace::TraceFacts facts = example();
  facts.has_times = false;
  CHECK_THAT(trace_text(facts, 100, false),
             Contains(" events in an unknown time") && Contains("from 128 events"));
  trace::TraceFacts empty;
  empty.name = "e";
  empty.threads.resize(1);
  CHECK_THAT(trace_text(empty, 100, false), Contains("e\n") && Contains("0 events"));
  CHECK_NOTHROW(nlohmann::json::parse(trace_json(empty)));
}

TEST_CASE("a trace as JSON has the numbers of its facts, and CSV has those of the JSON") {
  trace::TraceFacts facts = example();
  facts.text.emplace_back("machine", "a\xff\"b");  // no UTF-8
  const auto json = nlohmann::json::parse(trace_json(facts));
  CHECK(json.at("heapmark_trace") == 1);
  CHECK(json.at("peak_live_bytes") == facts.peak_bytes);
  CHECK(json.at("calls").at("free") == facts.events_by_op[static_cast<std::size_t>(trace::Op::kFree)]);
  CHECK(json.at("moments").size() == facts.moments.size());
  CHECK(json.at("threads").size() == 4);
  std::uint64_t requests = 0;
  for (const auto& one : json.at("sizes")) requests += one.at("count").get<std::uint64_t>();
  CHECK(requests == facts.requests);

  const std::string csv = trace_csv(facts);
  CHECK_THAT(csv, Catch::StartsWith("file,table,key,metric,value\r\n"));
  const std::string peak = "app.hmtrace,trace,,peak_live_bytes," + std::to_string(facts.peak_bytes) + "\r\n";
  CHECK_THAT(csv, Contains(peak) && Contains("app.hmtrace,threads,3,ended,true\r\n"));
  CHECK_THAT(trace_csv(facts, false), !Contains("file,table"));
}

}  // namespace
}  // namespace heapmark::view
