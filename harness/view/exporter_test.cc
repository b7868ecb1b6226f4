// What each exporter makes of made-up results: two allocators, one of which failed a pass.
#include "harness/view/exporter.h"

#include <catch2/catch.hpp>

#include "harness/record/example_results.h"
#include "harness/view/comparison.h"

using namespace heapmark;
using namespace heapmark::view;
using Catch::Contains;

namespace {

record::Results two_allocators() {
  record::Results results = record::example::results();
  for (unsigned round = 0; round < 6; ++round) {
    results.records.push_back(record::example::record("glibc", "speed", round, {{"ns_per_op", 100}}));
    results.records.push_back(record::example::record("quick", "speed", round, {{"ns_per_op", 50}}));
  }
  results.records.push_back(record::example::record("glibc", "memory", 0, {{"rss_peak_bytes", 1 << 20}}));
  results.records.push_back(
      record::example::failed("quick", "memory", 0, trial::Outcome::kCrashed, "killed by SIGSEGV"));
  return results;
}

std::string rendered(const char* format, const record::Results& results) {
  const Exporter* const exporter = find_exporter(format);
  REQUIRE(exporter);
  const stats::Analysis analysis = stats::analyse(results);
  return exporter->render({results, analysis, "r.json", 200, false});
}

stats::Ratio ratio_with(stats::Verdict verdict, std::size_t count = 6,
                        std::optional<std::size_t> more = std::nullopt) {
  stats::Ratio ratio;
  ratio.summary.count = count;
  ratio.verdict = verdict;
  ratio.more_rounds = more;
  return ratio;
}

}  // namespace

TEST_CASE("exporters are known by name, in order, each with a help") {
  std::string last;
  for (const Exporter& one : exporters()) {
    CHECK(last < one.name);
    last = one.name;
    CHECK(std::string(one.help).size() > 10);
    CHECK_FALSE(rendered(one.name, two_allocators()).empty());
  }
  CHECK(exporters().size() >= 6);
  CHECK(find_exporter("xml") == nullptr);
}

TEST_CASE("the tables say faster in words and show a failure where its figure would stand") {
  const std::string text = rendered("table", two_allocators());
  CHECK_THAT(text, Contains("churn / small"));
  CHECK_THAT(text, Contains("0.500 [0.4") && Contains("faster"));
  CHECK_THAT(text, Contains("✗ failed"));
  CHECK_THAT(text, Contains("✗ quick, memory pass: crashed: killed by SIGSEGV"));
  CHECK_THAT(text, Contains("absent was skipped: libabsent.so is not installed"));
  CHECK_THAT(text, Contains("1 of 14 trials failed."));
}

TEST_CASE("verdicts in words: less or more, faster or slower, equal, and how many rounds are missing") {
  const plan::Metric time{"ns_per_op", "ns", "lower", "", {}, true};
  const plan::Metric memory{"rss_peak_bytes", "bytes", "lower", "", {}, true};
  using stats::Verdict;
  CHECK(verdict_words(ratio_with(Verdict::kBetter), time, 0.03) == "faster");
  CHECK(verdict_words(ratio_with(Verdict::kWorse), time, 0.03) == "slower");
  CHECK(verdict_words(ratio_with(Verdict::kBetter), memory, 0.03) == "less");
  CHECK(verdict_words(ratio_with(Verdict::kWorse), memory, 0.03) == "more");
  CHECK(verdict_words(ratio_with(Verdict::kEqual), memory, 0.005) == "equal within 0.5 %");
  CHECK(verdict_words(ratio_with(Verdict::kCannotTell, 3, 4), time, 0.03) == "cannot tell, +4 rounds");
  CHECK(verdict_words(ratio_with(Verdict::kCannotTell, 1), time, 0.03) == "cannot tell: one round");
}

TEST_CASE("csv has one row a statistic, quotes what needs it and leaves what was not measured empty") {
  record::Results results = two_allocators();
  results.allocators[1].label = "quick[a=1,b=2]";
  for (record::Record& one : results.records)
    if (one.spec.allocator == "quick") one.spec.allocator = "quick[a=1,b=2]";
  const std::string csv = rendered("csv", results);
  CHECK_THAT(csv, Contains("churn,small,speed,ns_per_op,\"quick[a=1,b=2]\",6,0,,50,"));
  CHECK_THAT(csv, Contains(",glibc,0.5,0.4") && Contains(",better,\r\n"));
  CHECK_THAT(csv, Contains("rss_peak_bytes,\"quick[a=1,b=2]\",0,1,crashed: killed by SIGSEGV,,,,,,,,,\r\n"));
}

TEST_CASE("the overview has a row for each deciding figure, and a failure in it") {
  const std::string text = rendered("overview", two_allocators());
  CHECK_THAT(text, Contains("| churn/small ns per op | 100 ns | 50 ns + |"));
  CHECK_THAT(text, Contains("✗ failed"));
  CHECK_THAT(text, !Contains("trims"));
}
