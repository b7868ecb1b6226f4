// The closing words, of made-up results.
#include "harness/view/closing_words.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "harness/record/example_results.h"

using namespace heapmark;
using namespace heapmark::view;
using Catch::Contains;

namespace {

record::Results timed(const std::vector<double>& glibc, const std::vector<double>& quick) {
  record::Results results = record::example::results();
  results.asked.allocators = "glibc,quick";
  for (unsigned round = 0; round < glibc.size(); ++round) {
    results.records.push_back(
        record::example::record("glibc", "speed", round, {{"ns_per_op", glibc[round]}}));
    results.records.push_back(
        record::example::record("quick", "speed", round, {{"ns_per_op", quick[round]}}));
  }
  return results;
}

std::string words(const record::Results& results) {
  std::string text;
  const auto lines = closing_words(results, stats::analyse(results), "my results.json");
  CHECK(lines.size() <= 10);
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

}  // namespace

TEST_CASE("the fastest is named with its ratio to the baseline") {
  const std::string text = words(timed({100, 100, 100, 100, 100, 100}, {50, 50, 50, 50, 50, 50}));
  CHECK_THAT(text, Contains("Fastest: quick, 0.500 [") && Contains("of glibc's time; next is glibc."));
  CHECK_THAT(text, Contains("every one is decided"));
  CHECK_THAT(text, Contains("Next: heapmark show 'my results.json'"));
}

TEST_CASE("who cannot be told apart is said to be so, with the command that would tell") {
  const std::string text = words(timed({100, 100, 100, 100}, {112, 97, 111, 98}));
  CHECK_THAT(text, Contains("Fastest: cannot be told apart: glibc, quick"));
  CHECK_THAT(text, Contains("1 cannot be told yet (about 15 more rounds would decide 1 of them)"));
  CHECK_THAT(text, Contains("Next: heapmark run --resume 'my results.json' -r 21"));  // 6 by default and 15
}

TEST_CASE("what distorts the figures is said in one line") {
  record::Results results = timed({100, 100}, {112, 97});
  results.context = record::json{{"num_cpus", 2}, {"load_avg", {7.2}}};
  results.asked.request.quick = results.asked.request.check = true;
  results.asked.request.workloads = {"churn"};
  const std::string text = words(results);
  CHECK_THAT(text, Contains("a load of 7.2 on 2 CPUs") && Contains("4 threads on 2 CPUs") &&
                       Contains("--quick") && Contains("--check"));
  CHECK_THAT(text, Contains("Next: heapmark run -a glibc,quick -w churn\n"));
}

TEST_CASE("a lone allocator is not called the fastest, and failures are counted") {
  record::Results results = timed({100, 100}, {50, 50});
  results.allocators.resize(1);
  results.records.erase(results.records.begin() + 1, results.records.end());
  results.records.push_back(
      record::example::failed("glibc", "memory", 0, trial::Outcome::kCrashed, "killed by SIGSEGV"));
  const std::string text = words(results);
  CHECK_THAT(text, !Contains("Fastest"));
  CHECK_THAT(text, Contains("1 of 2 trials failed: glibc (crashed); heapmark show says why."));
}

TEST_CASE("what did not become steady is counted, and nothing is said where all did") {
  record::Results results = record::example::results();
  auto& metrics = results.metrics.begin()->second;
  metrics.push_back({"rss_steady_from", "ratio", "neither", "", {"memory"}, true});
  metrics.push_back({"time_steady_from", "ratio", "neither", "", {"memory"}, true});
  results.asked.allocators = "glibc,quick";
  const double never = std::nan("");
  results.records.push_back(
      record::example::record("glibc", "memory", 0, {{"rss_steady_from", 0.2}, {"time_steady_from", never}}));
  CHECK_THAT(words(results), Contains("Not steady by the end: memory in 0 and time in 1 of 1 runs"));
  results.records.push_back(record::example::record(
      "quick", "memory", 0, {{"rss_steady_from", never}, {"time_steady_from", never}}));
  CHECK_THAT(words(results), Contains("memory in 1 and time in 2 of 2 runs"));
  results.records = {
      record::example::record("glibc", "memory", 0, {{"rss_steady_from", 0.2}, {"time_steady_from", 0.1}})};
  CHECK_THAT(words(results), !Contains("Not steady"));
}
