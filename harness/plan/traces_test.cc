#include "harness/plan/traces.h"

#include <catch2/catch.hpp>

#include "harness/plan/plan.h"
#include "harness/plan/usage_error.h"

using namespace heapmark;
using namespace heapmark::plan;
using Catch::Contains;

namespace {

class MadeUp : public Traces {
 public:
  [[nodiscard]] TraceFacts read(const std::string& path) const override {
    if (path == "none") throw UsageError("none: no such file");
    return {"/traces/" + path, "c-" + path, 40'000'000, 7, 1 << 30, 1000, std::chrono::seconds(50)};
  }
};

std::vector<WorkloadInfo> known() {
  WorkloadInfo churn, replay;
  churn.name = "churn";
  churn.group = "standard";
  churn.variants = {{"small", {"speed", "memory"}, "", ""}};
  replay.name = "replay";
  replay.group = "trace";
  replay.parameters = {{"file", "text", "", "", "", 0, 0},
                       {"pace", "choice", "fast", "fast|recorded", "", 0, 0},
                       {"repeat", "count", "1", "", "", 1, 100}};
  replay.variants = {{"FILE", {"speed", "memory"}, "", ""}};
  return {churn, replay};
}

std::vector<trial::TrialSpec> planned(const std::vector<std::string>& words, const trial::Pairs& sets = {}) {
  Request request;
  request.workloads = words;
  request.passes = {"memory"};
  request.rounds = one_round_each();
  request.sets = sets;
  Selection glibc;
  glibc.label = glibc.allocator.name = "glibc";
  glibc.library = "/lib/libc.so";
  return make_plan(request, {glibc}, with_traces(known(), words, MadeUp()));
}

}  // namespace

TEST_CASE("each named trace is a variant of the replay, with the parameters that tell which it is") {
  const auto plan = planned({"trace:a/app.hmtrace", "churn", "trace:other"});
  REQUIRE(plan.size() == 3);
  CHECK(plan[0].workload == "replay");
  CHECK(plan[0].variant == "app");
  CHECK(plan[0].parameters == trial::Pairs{{"file", "/traces/a/app.hmtrace"},
                                           {"checksum", "c-a/app.hmtrace"},
                                           {"recorded_events", "40000000"},
                                           {"recorded_threads", "7"}});
  CHECK(plan[0].memory_estimate_bytes > std::uint64_t{3} << 30);
  CHECK(trace_of(plan[0].parameters) == "c-a/app.hmtrace");
  CHECK(plan[1].workload == "churn");
  CHECK(trace_of(plan[1].parameters).empty());
  CHECK(plan[2].variant == "other");
}

TEST_CASE("a trace named twice is measured once, and two of one name are refused") {
  CHECK(planned({"trace:app", "trace:app"}).size() == 1);
  CHECK_THROWS_WITH(planned({"trace:a/app", "trace:b/app"}), Contains("rename"));
}

TEST_CASE("the replay alone, without a trace, says how to name one") {
  CHECK_THROWS_WITH(planned({"trace"}), Contains("trace:FILE"));
  CHECK_THROWS_WITH(planned({"replay"}), Contains("trace:FILE"));
  CHECK_THROWS_WITH(planned({"trace:"}), Contains("a file is missing"));
  CHECK_THROWS_WITH(planned({"trace:none"}), Contains("no such file"));
  CHECK(planned({"all"}).size() == 1);
}

TEST_CASE("what tells traces apart is not the user's to set") {
  CHECK_THROWS_WITH(planned({"trace:app"}, {{"file", "x"}}), Contains("trace:FILE"));
}

TEST_CASE("a long trace, repeated or at its own pace, has the time that it needs") {
  const auto timeout = [](const trial::Pairs& sets) { return planned({"trace:app"}, sets).front().timeout; };
  CHECK(timeout({}) == std::chrono::seconds(120 + 400));
  CHECK(timeout({{"repeat", "2"}}) == std::chrono::seconds(1040));
  CHECK(timeout({{"pace", "recorded"}}) == std::chrono::seconds(520 + 100));
}
