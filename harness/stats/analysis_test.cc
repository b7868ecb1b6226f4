// Rankings, the tally of verdicts and the conditions of a run, from made-up records.
#include "harness/stats/analysis.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "harness/record/example_results.h"

using namespace heapmark;
using namespace heapmark::record;
using namespace heapmark::stats;

namespace {

// `times` of one round for each allocator; rounds differ by a factor that all share.
Results timed(const std::vector<std::pair<std::string, std::vector<double>>>& times) {
  Results results = example::results();
  results.allocators.clear();
  for (const auto& [label, rounds] : times) {
    AllocatorFound allocator;
    allocator.name = allocator.label = label;
    results.allocators.push_back(allocator);
    for (unsigned round = 0; round < rounds.size(); ++round)
      results.records.push_back(
          example::record(label, "speed", round, {{"ns_per_op", rounds[round] * (1 + round)}}));
  }
  return results;
}

}  // namespace

TEST_CASE("allocators are ranked by their ratio to the baseline, which ranks among them") {
  const Analysis analysis = analyse(timed({{"glibc", {100, 100, 100, 100, 100, 100}},
                                           {"slow", {150, 151, 150, 149, 150, 151}},
                                           {"quick", {50, 50.2, 50, 49.9, 50, 50.1}}}));
  REQUIRE(analysis.rankings.size() == 1);
  const Ranking& time = analysis.rankings[0];
  CHECK(time.aspect == "time");
  REQUIRE(time.best_first.size() == 3);
  CHECK(time.best_first[0].allocator == "quick");
  CHECK(time.best_first[1].allocator == "glibc");
  CHECK(time.best_first[1].ratio.median == 1);
  CHECK(time.best_first[2].allocator == "slow");
  CHECK(time.leaders == 1);
}

TEST_CASE("who cannot be told apart from the best leads with it") {
  const Analysis analysis =
      analyse(timed({{"glibc", {100, 100, 100, 100}}, {"a", {50, 52, 49, 51}}, {"b", {51, 50, 52, 50}}}));
  CHECK(analysis.rankings.at(0).leaders == 2);
}

TEST_CASE("an allocator that failed a workload, and one that is not for use, are not ranked") {
  Results results = timed({{"glibc", {100, 100}}, {"a", {50, 50}}, {"bound", {1, 1}}});
  results.allocators.back().not_for_use = "gives nothing back";
  Record other = example::record("glibc", "speed", 0, {{"ns_per_op", 100}});
  other.spec.variant = "large";
  results.records.push_back(other);
  const Analysis analysis = analyse(results);
  REQUIRE(analysis.rankings.size() == 1);
  REQUIRE(analysis.rankings[0].best_first.size() == 1);
  CHECK(analysis.rankings[0].best_first[0].allocator == "glibc");
}

TEST_CASE("the tally counts verdicts, and the rounds that would decide half of the open ones") {
  const Analysis analysis = analyse(timed({{"glibc", {100, 100, 100, 100}},
                                           {"same", {100, 100.1, 99.9, 100}},
                                           {"open", {112, 97, 111, 98}},
                                           {"quick", {50, 50, 50, 50}}}));
  CHECK(analysis.tally.comparisons == 3);
  CHECK(analysis.tally.equal == 1);
  CHECK(analysis.tally.cannot_tell == 1);
  CHECK(analysis.tally.more_rounds == 15);  // as worked out in summary_test.cc
  CHECK(analysis.tally.decided_by_more == 1);
}

TEST_CASE("only rounds that a resumed run can add are proposed") {
  Results results = timed({{"glibc", {100, 100, 100, 100}}, {"open", {112, 97, 111, 98}}});
  results.asked.request.rounds = {{"speed", 4}, {"memory", 9}};  // the speed pass has ended long before
  const Analysis analysis = analyse(results);
  CHECK(analysis.tally.cannot_tell == 1);
  CHECK(analysis.tally.more_rounds == 0);
}

TEST_CASE("one round leaves everything open, and no number of rounds is guessed from it") {
  const Analysis analysis = analyse(timed({{"glibc", {100}}, {"quick", {50}}}));
  CHECK(analysis.tally.cannot_tell == 1);
  CHECK(analysis.tally.more_rounds == 0);
}

TEST_CASE("the conditions tell load and threads where they exceed what the machine has") {
  Results results = timed({{"glibc", {100}}});
  results.context = json{{"num_cpus", 2}, {"load_avg", {0.1}}};
  CHECK_FALSE(analyse(results).conditions.load);
  CHECK(analyse(results).conditions.most_threads == 4);        // of example::record
  results.records[0].spec.parameters = {{"threads", "2000"}};  // one after the other, three at one time
  results.records[0].result.lockstep.emplace().threads = 3;
  CHECK(analyse(results).conditions.most_threads == 3);
  results.records.push_back(results.records[0]);
  results.records[1].spec.pass = "ledger";
  results.records[1].result.lockstep.reset();
  CHECK(analyse(results).conditions.most_threads == 3);
  results.context = json{{"num_cpus", 4}, {"load_avg", {3.5}}};
  results.asked.request.quick = true;
  CHECK(analyse(results).conditions.load == 3.5);
  CHECK(analyse(results).conditions.most_threads == 0);
  CHECK(analyse(results).conditions.quick);
}

TEST_CASE("results in another margin are judged by it") {
  Results results = timed({{"glibc", {100, 100, 100, 100}}, {"same", {101.5, 101.6, 101.4, 101.5}}});
  CHECK(analyse(results).tally.equal == 1);
  results.asked.margin = 0.005;
  CHECK(analyse(results).tally.equal == 0);
}
