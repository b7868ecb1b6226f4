#include "harness/record/results_file.h"

#include <sys/resource.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <limits>
#include <system_error>

#include "harness/plan/usage_error.h"
#include "harness/record/example_results.h"
#include "testing/folder.h"

using namespace heapmark;
using namespace heapmark::record;
namespace fs = std::filesystem;
using heapmark::testing::Folder;

namespace {

fs::path written(const Folder& folder, const std::string& text) {
  const fs::path path = folder.file("given.json");
  std::ofstream(path) << text;
  return path;
}

}  // namespace

TEST_CASE("after every trial the file on disk can be read and holds all trials so far") {
  const Folder folder;
  ResultsFile file(folder.file("r.json"), example::results());
  for (unsigned round = 0; round < 3; ++round) {
    file.add(example::record("glibc", "speed", round, {{"ns_per_op", 100.0 + round}}));
    const Results read = read_results(file.path());
    REQUIRE(read.records.size() == round + 1);
    CHECK(read.records.back().result.metrics.at("ns_per_op") == 100.0 + round);
  }
}

TEST_CASE("limits and conditions of the pressure pass are read back the same") {
  const Folder folder;
  Results given = example::results();
  given.asked.request.pressure = {{0.9, 0.65}, false};
  given.asked.request.swap = "zram";
  ResultsFile file(folder.file("r.json"), given);
  Record record = example::record("quick", "pressure", 0, {{"limit_bytes", 4096}});
  record.spec.limit_share = 0.65;
  record.result.pressure = {"v1", "none", "no room", "machine", "cgroup"};
  file.add(record);
  Record refused = example::failed("quick", "pressure", 1, trial::Outcome::kRefused, "only root");
  refused.spec.finds_smallest_limit = true;
  file.add(refused);
  const Results read = read_results(file.path());
  CHECK(read.asked.request.pressure == given.asked.request.pressure);
  CHECK(read.asked.request.swap == "zram");
  CHECK(read.records.at(0).spec.limit_share == 0.65);
  const trial::PressureFacts& facts = read.records.at(0).result.pressure.value();
  CHECK(facts.cgroup == "v1");
  CHECK(facts.swap == "none");
  CHECK(facts.why_no_swap == "no room");
  CHECK(facts.stalls_of == "machine");
  CHECK(facts.swapped_of == "cgroup");
  CHECK(read.records.at(1).spec.finds_smallest_limit);
  CHECK_FALSE(read.records.at(1).result.pressure);
}

TEST_CASE("what is written is read back the same") {
  const Folder folder;
  Results given = example::results();
  given.asked.request.sets = {{"threads", "4"}};
  given.asked.request.rounds.of("speed") = 9;
  given.asked.request.quick = true;
  given.allocators[1].tunables = {{"z", "1"}, {"a", "2"}};
  ResultsFile file(folder.file("r.json"), given);
  Record record =
      example::record("quick", "memory", 2, {{"rss_peak_bytes", std::nan("")}, {"minor_faults", 7}});
  record.result.tables["samples"] = {
      {"operation", "rss_bytes"}, {{0, 1.5}, {1, std::nan("")}}, {"one", "two"}, 3};
  record.result.phases = {"fill", "steady"};
  file.add(record);
  file.add(example::failed("glibc", "speed", 0, trial::Outcome::kCheckFailed, "not UTF-8: \xff"));
  file.finish({});

  const Results read = read_results(file.path());
  CHECK(read.asked.baseline == "glibc");
  CHECK(read.asked.request.rounds.of("speed") == 9);
  CHECK(read.asked.request.quick);
  CHECK(read.asked.request.sets == given.asked.request.sets);
  REQUIRE(read.allocators.size() == 3);
  CHECK(read.allocators[1].tunables == given.allocators[1].tunables);
  CHECK(read.allocators[2].skipped == given.allocators[2].skipped);
  REQUIRE(read.metrics.at("churn").size() == 4);
  CHECK(read.metrics.at("churn")[0].name == "ns_per_op");
  REQUIRE(read.records.size() == 2);
  CHECK(read.records[0].spec == record.spec);
  const trial::TrialResult& result = read.records[0].result;
  CHECK(std::isnan(result.metrics.at("rss_peak_bytes")));
  CHECK(result.metrics.at("minor_faults") == 7);
  const trial::Table& table = result.tables.at("samples");
  CHECK(table.columns == std::vector<std::string>{"operation", "rss_bytes"});
  CHECK(table.rows[0] == std::vector<double>{0, 1.5});
  CHECK(std::isnan(table.rows[1][1]));
  CHECK(table.texts[1] == "two");
  CHECK(table.dropped_rows == 3);
  CHECK(result.phases == record.result.phases);
  CHECK(read.records[1].result.outcome == trial::Outcome::kCheckFailed);
}

TEST_CASE("a file of the first schema is read, and has the margin of today") {
  const Folder folder;
  ResultsFile file(folder.file("r.json"), example::results());
  file.add(example::record("glibc", "speed", 0, {{"ns_per_op", 100}}));
  std::ifstream in(file.path());
  json root = json::parse(in);
  root["schema"] = 1;
  root["plan"].erase("margin");
  root["plan"]["rounds"] = {{"speed", 4}, {"memory", 2}};  // written before the other passes were there
  const Results read = read_results(written(folder, root.dump()));
  CHECK(read.records.size() == 1);
  CHECK(read.asked.margin == 0.03);
  CHECK(read.asked.request.rounds == plan::Rounds{{"speed", 4}, {"memory", 2}});
}

TEST_CASE("statistics stand in the file once the run has ended") {
  const Folder folder;
  ResultsFile file(folder.file("r.json"), example::results());
  file.add(example::record("glibc", "speed", 0, {{"ns_per_op", 100}, {"cpu_ns_per_op", 90}}));
  file.finish({{{"metric", "ns_per_op"}, {"median", 100}}});
  std::ifstream in(file.path());
  const json root = json::parse(in);
  REQUIRE(root.at("statistics").size() == 1);
  CHECK(root.at("statistics")[0].at("median") == 100);
  CHECK(root.at("benchmarks").size() == 1);
}

TEST_CASE("a disk that is full leaves the trials that were written before") {
  const Folder folder;
  ResultsFile file(folder.file("r.json"), example::results());
  file.add(example::record("glibc", "speed", 0, {{"ns_per_op", 100}}));
  const auto size = fs::file_size(file.path());

  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit full{size + 16, before.rlim_max};
  REQUIRE(setrlimit(RLIMIT_FSIZE, &full) == 0);
  CHECK_THROWS_AS(file.add(example::record("glibc", "speed", 1, {{"ns_per_op", 101}})), std::system_error);
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, old_handler);

  CHECK(read_results(file.path()).records.size() == 1);
  CHECK_FALSE(fs::exists(file.path().string() + ".tmp"));
}

TEST_CASE("a folder that does not exist is an error that names the file") {
  ResultsFile file("/nonexistent-folder/r.json", example::results());
  CHECK_THROWS_WITH(file.finish({}), Catch::Contains("/nonexistent-folder/r.json"));
}

TEST_CASE("files that are no results file are refused with the reason") {
  const Folder folder;
  CHECK_THROWS_WITH(read_results(folder.file("absent.json")), Catch::Contains("cannot read"));
  CHECK_THROWS_WITH(read_results(written(folder, "{\"records\": [")), Catch::Contains("damaged"));
  CHECK_THROWS_WITH(read_results(written(folder, "[1, 2]")), Catch::Contains("no results file"));
  CHECK_THROWS_WITH(read_results(written(folder, R"({"schema": 99, "records": []})")),
                    Catch::Contains("schema 99"));
  CHECK_THROWS_AS(read_results(written(folder, R"({"schema": 1, "records": []})")), UsageError);
}

TEST_CASE("a command, a server and what they printed are read as they were written") {
  const Folder folder;
  Results results = example::results();
  trial::Command& command = results.asked.request.command.emplace();
  command.words = {"server", "--port", "7 7"};
  command.prepare = "rm -f x";
  command.directory = "/tmp";
  command.environment = {{"A", "1=2"}};
  command.input = "/in";
  command.ignore_output = true;
  command.exit_code = 3;
  command.process_limit = 9;
  trial::Server& server = command.server.emplace();
  server.ready = "ping";
  server.load = "load";
  server.figure = "([0-9]+)";
  server.figure_is_cost = true;
  server.settle = std::chrono::milliseconds(1500);
  server.ready_within = std::chrono::milliseconds(700);
  server.stop_signal = 2;
  results.asked.request.command_name = "it";
  ResultsFile file(folder.file("r.json"), results);
  Record record = example::failed("glibc", "speed", 0, trial::Outcome::kOutputDiffers, "differs");
  record.result.output = trial::Output{"00ff", 12};
  record.result.notes = {"one", "two"};
  file.add(record);
  const Results read = read_results(file.path());
  CHECK(read.asked.request.command == results.asked.request.command);
  CHECK(read.asked.request.command_name == "it");
  REQUIRE(read.records.size() == 1);
  CHECK(read.records[0].result.outcome == trial::Outcome::kOutputDiffers);
  CHECK(read.records[0].result.output == record.result.output);
  CHECK(read.records[0].result.notes == record.result.notes);
}
