// Small tables: what is selected stays as it is, the rest is gone, and a wrong name is an error.
#include "harness/view/excerpt.h"

#include <catch2/catch.hpp>

#include "harness/plan/usage_error.h"
#include "harness/record/example_results.h"
#include "harness/view/comparison.h"

using namespace heapmark;
using Catch::Contains;

namespace {

record::Results two_allocators() {
  record::Results results = record::example::results();
  for (unsigned round = 0; round < 3; ++round)
    for (const char* name : {"glibc", "quick"}) {
      results.records.push_back(
          record::example::record(name, "speed", round, {{"ns_per_op", name[0] == 'g' ? 100 : 50}}));
      results.records.push_back(
          record::example::record(name, "memory", round, {{"rss_peak_bytes", 1 << 20}}));
    }
  return results;
}

std::string overview(const view::Excerpt& excerpt) {
  record::Results results = two_allocators();
  stats::Analysis analysis = stats::analyse(results);
  view::cut_to(excerpt, results, analysis);
  return view::for_markdown(view::overview_table(results, analysis));
}

}  // namespace

TEST_CASE("without a selection everything is shown") {
  CHECK_THAT(overview({}), Contains("ns per op") && Contains("rss peak") && Contains("quick"));
}

TEST_CASE("a figure and an allocator are selected, and the ratio to the baseline that is not shown stays") {
  const std::string text = overview({{"quick"}, {"churn/small:ns_per_op"}});
  CHECK_THAT(text, Contains("| churn/small ns per op | 50 ns + |"));
  CHECK_THAT(text, !Contains("rss peak") && !Contains("glibc"));
}

TEST_CASE("an unknown allocator or figure is named, with what is near") {
  CHECK_THROWS_WITH(overview({{"quikc"}, {}}), Contains("-a") && Contains("quick"));
  CHECK_THROWS_WITH(overview({{}, {"churn/small:ns_per_opp"}}),
                    Contains("--figures") && Contains("churn/small:ns_per_op"));
}
