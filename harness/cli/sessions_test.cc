#include "harness/cli/sessions.h"

#include <catch2/catch.hpp>

#include "harness/record/example_results.h"

using namespace heapmark;
using Catch::Contains;

namespace {

constexpr std::uint64_t kMiB = 1024 * 1024;

// Each allocator takes so many nanoseconds an operation; with each session or trial all get slower by half.
class Scripted : public trial::Executor {
 public:
  trial::TrialResult run(const trial::TrialSpec& spec) override {
    alone.push_back(spec.allocator);
    trial::TrialResult result = result_of(spec);
    result.lockstep.reset();
    result.tables.clear();
    slowness_ *= 1.5;
    return result;
  }
  std::vector<trial::TrialResult> run_session(const std::vector<trial::TrialSpec>& specs) override {
    sessions.emplace_back();
    std::vector<trial::TrialResult> results;
    for (const trial::TrialSpec& spec : specs) {
      sessions.back() += spec.allocator;
      results.push_back(result_of(spec));
    }
    slowness_ *= 1.5;
    return results;
  }
  std::vector<std::string> sessions, alone;
  std::string interrupted_at;  // an allocator

 private:
  trial::TrialResult result_of(const trial::TrialSpec& spec) const {
    const double ns = (spec.allocator[0] - 'a' + 1) * 100 * slowness_;
    trial::TrialResult result;
    result.outcome = spec.allocator == interrupted_at ? trial::Outcome::kInterrupted : trial::Outcome::kOk;
    result.operations = 20;
    result.metrics = {{"ns_per_op", ns}, {"ops_per_second", 1e9 / ns}};
    result.lockstep = trial::Lockstep{};
    trial::Table& slices = result.tables["slices"];
    slices.columns = {"units", "wall_ns", "cpu_ns", "queue_ns", "voluntary_switches"};
    // the second slice took twice its time, since another process had the CPU
    slices.rows = {{10, 10 * ns, 10 * ns, 0, 0}, {10, 20 * ns, 10 * ns, 10 * ns, 0}};
    return result;
  }
  double slowness_ = 1;
};

struct Fixture {
  Scripted executor;
  std::vector<std::string> said;
  cli::SessionInput input;

  explicit Fixture(std::size_t count = 4) {
    for (std::size_t at = 0; at < count; ++at) {
      trial::TrialSpec spec;
      spec.id = at;
      spec.allocator = std::string(1, static_cast<char>('a' + at));
      spec.lockstep = true;
      spec.memory_estimate_bytes = 100 * kMiB;
      input.open.push_back(spec);
    }
    input.baseline = input.open.front();
    input.available_bytes = 10'000 * kMiB;
  }
  std::vector<cli::Measured> run() {
    return cli::measure_sessions(input, executor, [&](const std::string& what) { said.push_back(what); });
  }
};

double time_of(const std::vector<cli::Measured>& measured, const std::string& allocator) {
  for (const auto& [spec, result] : measured)
    if (spec.allocator == allocator) return result.metrics.at("ns_per_op");
  return 0;
}

}  // namespace

TEST_CASE_METHOD(Fixture,
                 "the trials of a round are one session, and foreign time is no part of the figures") {
  const auto measured = run();
  REQUIRE(measured.size() == 4);
  CHECK(executor.sessions == std::vector<std::string>{"abcd"});
  CHECK(said.empty());
  CHECK(time_of(measured, "c") == Approx(300));
  CHECK(measured[2].result.metrics.at("ops_per_second") == Approx(1e9 / 300));
  CHECK(measured[2].result.lockstep->foreign_share == Approx(1.0 / 3));
  CHECK(measured[2].result.lockstep->slice_ratio_median == Approx(3));
  CHECK(measured[0].result.lockstep->slice_ratio_median == 0);
}

TEST_CASE_METHOD(Fixture, "in a second set the times keep their ratio to the baseline that ran beside them") {
  input.available_bytes = 400 * kMiB;  // two processes
  const auto measured = run();
  CHECK(executor.sessions == std::vector<std::string>{"ab", "ac", "ad"});
  REQUIRE(measured.size() == 4);  // the baseline once
  CHECK_THAT(said.at(0), Contains("3 sets"));
  CHECK(time_of(measured, "a") == Approx(100));
  CHECK(time_of(measured, "d") == Approx(400));
  CHECK(measured[3].result.lockstep->set == 2);
  CHECK(measured[3].result.reference_factor == Approx(1 / 2.25));
}

TEST_CASE_METHOD(Fixture, "one that keeps time itself is timed alone, with a run of the baseline beside it") {
  input.open[1].lockstep = false;
  const auto measured = run();
  CHECK(executor.sessions == std::vector<std::string>{"acd"});
  CHECK(executor.alone == std::vector<std::string>{"b", "a"});
  REQUIRE(measured.size() == 4);
  CHECK(measured[3].spec.allocator == "b");
  CHECK_FALSE(measured[3].result.lockstep);
  // b ran in a round half as slow again as a's session, a once more half as slow
  CHECK(time_of(measured, "b") == Approx(200 / 1.5));
}

TEST_CASE_METHOD(Fixture, "where not even two fit into memory, each is run alone and none twice") {
  input.available_bytes = 200 * kMiB;
  const auto measured = run();
  CHECK(executor.sessions.empty());
  CHECK(executor.alone.size() == 4);
  CHECK(measured.size() == 4);
  CHECK(said.size() == 1);
}

TEST_CASE_METHOD(
    Fixture, "what is left of a round is measured beside the baseline again, which is not recorded twice") {
  input.open = {input.open[2]};
  input.baseline_ns_per_op = 50;
  const auto measured = run();
  CHECK(executor.sessions == std::vector<std::string>{"ac"});
  REQUIRE(measured.size() == 1);
  CHECK(time_of(measured, "c") == Approx(150));
}

TEST_CASE_METHOD(Fixture, "nothing further is begun after an interruption") {
  input.available_bytes = 400 * kMiB;
  executor.interrupted_at = "c";
  (void)run();
  CHECK(executor.sessions == std::vector<std::string>{"ab", "ac"});
}

TEST_CASE("a process is expected to hold a quarter more than an earlier one, else what the plan says") {
  record::Results results = record::example::results();
  trial::TrialSpec spec = record::example::record("glibc", "speed", 0, {}).spec;
  spec.memory_estimate_bytes = 7;
  const auto expected = [&] {
    trial::TrialSpec one = spec;
    cli::expect_memory(results, one);
    return one.memory_estimate_bytes;
  };
  CHECK(expected() == 7);
  results.records.push_back(record::example::record("quick", "memory", 0, {{"rss_peak_bytes", 4000}}));
  CHECK(expected() == 7);
  results.records.push_back(record::example::record("glibc", "memory", 0, {{"rss_peak_bytes", 800}}));
  results.records.back().result.observer_bytes = 200;
  CHECK(expected() == 1250);
  // less work in another pass, on the same heap
  results.records.back().spec.parameters = {{"operations", "5"}};
  CHECK(expected() == 1250);
  // one that failed may not have come to its peak, or gone far beyond it
  results.records.push_back(record::example::record("glibc", "memory", 1, {{"rss_peak_bytes", 9000}}));
  results.records.back().result.outcome = trial::Outcome::kCrashed;
  CHECK(expected() == 1250);
}
