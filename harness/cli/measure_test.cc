#include "harness/cli/measure.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <functional>
#include <map>
#include <thread>

#include "harness/record/example_results.h"

using namespace heapmark;
namespace fs = std::filesystem;

namespace {

// Gives each trial the result that the test has written for it.
class Scripted : public trial::Executor {
 public:
  explicit Scripted(std::function<trial::TrialResult(const trial::TrialSpec&)> script)
      : script_(std::move(script)) {}
  trial::TrialResult run(const trial::TrialSpec& spec) override {
    ran.push_back(spec.id);
    return script_(spec);
  }
  std::vector<std::uint64_t> ran;

 private:
  std::function<trial::TrialResult(const trial::TrialSpec&)> script_;
};

trial::TrialResult ok(double ns) {
  trial::TrialResult result;
  result.outcome = trial::Outcome::kOk;
  result.metrics["ns_per_op"] = ns;
  return result;
}

std::vector<trial::TrialSpec> three_trials() {
  std::vector<trial::TrialSpec> plan(3);
  for (std::uint64_t id = 0; id < 3; ++id) {
    plan[id].id = id;
    plan[id].round = static_cast<unsigned>(id);
    plan[id].allocator = "glibc";
    plan[id].workload = "churn";
    plan[id].variant = "small";
    plan[id].pass = "speed";
  }
  return plan;
}

std::vector<plan::WorkloadInfo> churn_wants_time() {
  plan::WorkloadInfo churn;
  churn.name = "churn";
  churn.metrics = {{"ns_per_op", "ns", "lower", "", {"speed"}, true}};
  return {churn};
}

struct Fixture {
  fs::path path = fs::temp_directory_path() / ("heapmark-measure-" + std::to_string(::getpid()) + ".json");
  record::ResultsFile file{path, record::example::results()};
  view::Progress progress{fopen("/dev/null", "w"), false, 80};
  ~Fixture() { fs::remove(path); }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "every trial of the plan is run once and recorded") {
  Scripted executor([](const trial::TrialSpec& spec) { return ok(100.0 + static_cast<double>(spec.id)); });
  CHECK(cli::measure(three_trials(), churn_wants_time(), executor, file, progress) == cli::End::kComplete);
  CHECK(executor.ran == std::vector<std::uint64_t>{0, 1, 2});
  const auto read = record::read_results(path);
  REQUIRE(read.records.size() == 3);
  CHECK(read.records[2].result.metrics.at("ns_per_op") == 102);
}

TEST_CASE_METHOD(Fixture, "an interrupted run keeps what it has, and going on runs only the rest") {
  Scripted stopped([](const trial::TrialSpec& spec) {
    trial::TrialResult result = ok(100);
    if (spec.id == 1) result.outcome = trial::Outcome::kInterrupted;
    return result;
  });
  CHECK(cli::measure(three_trials(), churn_wants_time(), stopped, file, progress) == cli::End::kInterrupted);
  REQUIRE(record::read_results(path).records.size() == 1);

  record::ResultsFile again(path, record::read_results(path));
  Scripted rest([](const trial::TrialSpec&) { return ok(100); });
  CHECK(cli::measure(three_trials(), churn_wants_time(), rest, again, progress) == cli::End::kComplete);
  CHECK(rest.ran == std::vector<std::uint64_t>{1, 2});
  CHECK(record::read_results(path).records.size() == 3);
}

TEST_CASE_METHOD(Fixture, "a result that lacks a declared metric is recorded as an error") {
  Scripted executor([](const trial::TrialSpec&) {
    trial::TrialResult result = ok(100);
    result.metrics.clear();
    return result;
  });
  CHECK(cli::measure(three_trials(), churn_wants_time(), executor, file, progress) == cli::End::kComplete);
  const auto read = record::read_results(path);
  CHECK(read.records[0].result.outcome == trial::Outcome::kError);
  CHECK(read.records[0].result.message == "the result lacks ns_per_op");
}

TEST_CASE_METHOD(Fixture, "a trial that fails does not stop the others") {
  Scripted executor([](const trial::TrialSpec& spec) {
    trial::TrialResult result = ok(100);
    if (spec.id == 0) {
      result.outcome = trial::Outcome::kCrashed;
      result.message = "killed by SIGSEGV";
    }
    return result;
  });
  CHECK(cli::measure(three_trials(), churn_wants_time(), executor, file, progress) == cli::End::kComplete);
  const auto read = record::read_results(path);
  REQUIRE(read.records.size() == 3);
  CHECK(read.records[0].result.message == "killed by SIGSEGV");
  CHECK(read.records[1].result.outcome == trial::Outcome::kOk);
}

TEST_CASE("a failure that the catalog knows is recognized, any other is not") {
  plan::Selection selection;
  selection.label = "glibc";
  selection.allocator.known_failures = {{"churn", "limit", "crashed", "by design"}};
  const record::Record known = record::example::failed("glibc", "limit", 0, trial::Outcome::kCrashed, "");
  REQUIRE(cli::known_failure(known, {selection}) != nullptr);
  CHECK(cli::known_failure(known, {selection})->why == "by design");
  const auto other_pass = record::example::failed("glibc", "speed", 0, trial::Outcome::kCrashed, "");
  CHECK(cli::known_failure(other_pass, {selection}) == nullptr);
  const auto other_end = record::example::failed("glibc", "limit", 0, trial::Outcome::kTimedOut, "");
  CHECK(cli::known_failure(other_end, {selection}) == nullptr);
}

TEST_CASE_METHOD(Fixture, "a budget that is used up begins no further group") {
  Scripted executor([](const trial::TrialSpec&) { return ok(1); });
  auto plan = three_trials();
  plan[1].round = plan[0].round;  // one group of two, one of one
  const auto past = cli::Clock::now() - std::chrono::seconds(1);
  CHECK(cli::measure(plan, churn_wants_time(), executor, file, progress, past) == cli::End::kBudgetUsed);
  CHECK(executor.ran.empty());
  Scripted slow([&](const trial::TrialSpec&) {
    std::this_thread::sleep_for(std::chrono::milliseconds(60));
    return ok(1);
  });
  const auto soon = cli::Clock::now() + std::chrono::milliseconds(30);
  CHECK(cli::measure(plan, churn_wants_time(), slow, file, progress, soon) == cli::End::kBudgetUsed);
  CHECK(slow.ran == std::vector<std::uint64_t>{0, 1});
}

TEST_CASE_METHOD(Fixture,
                 "trials that can run in lockstep are one session, recorded in the order of the plan") {
  class Sessions : public Scripted {
   public:
    using Scripted::Scripted;
    std::vector<trial::TrialResult> run_session(const std::vector<trial::TrialSpec>& specs) override {
      for (const trial::TrialSpec& spec : specs) first_to_last += spec.allocator + " ";
      return Executor::run_session(specs);
    }
    std::string first_to_last;
  };
  Sessions executor([](const trial::TrialSpec&) { return ok(1); });
  auto plan = three_trials();
  const char* const labels[] = {"absent", "quick", "glibc"};
  for (std::size_t at = 0; at < plan.size(); ++at) {
    plan[at].round = 0;
    plan[at].allocator = labels[at];
    plan[at].lockstep = true;
  }
  CHECK(cli::measure(plan, churn_wants_time(), executor, file, progress) == cli::End::kComplete);
  CHECK(executor.first_to_last == "glibc absent quick ");  // the baseline chooses the length of a slice
  const auto& records = file.results().records;
  REQUIRE(records.size() == 3);
  for (std::size_t at = 0; at < 3; ++at) CHECK(records[at].spec.id == at);
}

// So many rounds of one trial of each allocator.
std::vector<trial::TrialSpec> rounds_of(unsigned rounds, const std::vector<std::string>& labels) {
  std::vector<trial::TrialSpec> plan;
  for (unsigned round = 0; round < rounds; ++round)
    for (const std::string& label : labels) {
      trial::TrialSpec spec = three_trials().front();
      spec.id = plan.size();
      spec.round = round;
      spec.allocator = label;
      plan.push_back(spec);
    }
  return plan;
}

TEST_CASE_METHOD(Fixture, "what is measured precisely enough gets no further round") {
  record::Results results = record::example::results();
  results.asked.request.precision = 0.1;
  record::ResultsFile precise(path, std::move(results));
  Scripted executor([](const trial::TrialSpec& spec) { return ok(spec.allocator == "glibc" ? 100 : 50); });
  CHECK(cli::measure(rounds_of(10, {"glibc", "quick"}), churn_wants_time(), executor, precise, progress) ==
        cli::End::kComplete);
  CHECK(executor.ran.size() == 6);  // three rounds of two
}

TEST_CASE_METHOD(Fixture,
                 "further rounds are only of allocators that are not precise yet, beside the baseline") {
  record::Results results = record::example::results();
  results.asked.request.precision = 0.1;
  record::ResultsFile precise(path, std::move(results));
  // The time of "noisy" doubles from round to round and back.
  Scripted executor([](const trial::TrialSpec& spec) {
    return ok(spec.allocator != "noisy" ? 100 : spec.round % 2 == 0 ? 50 : 100);
  });
  CHECK(cli::measure(rounds_of(5, {"glibc", "quick", "noisy"}), churn_wants_time(), executor, precise,
                     progress) == cli::End::kComplete);
  std::map<std::string, int> trials;
  for (const record::Record& one : precise.results().records) ++trials[one.spec.allocator];
  CHECK(trials == std::map<std::string, int>{{"glibc", 5}, {"noisy", 5}, {"quick", 3}});
}

TEST_CASE_METHOD(Fixture,
                 "the next round is that of the workload variant that is furthest from the precision") {
  record::Results results = record::example::results();
  results.asked.request.precision = 0.001;
  record::ResultsFile precise(path, std::move(results));
  std::vector<trial::TrialSpec> plan;
  for (unsigned round = 0; round < 8; ++round)
    for (const char* const variant : {"steady", "noisy"})
      for (trial::TrialSpec spec : rounds_of(1, {"glibc", "quick"})) {
        spec.id = plan.size();
        spec.round = round;
        spec.variant = variant;
        plan.push_back(spec);
      }
  // Another pass: its first rounds before all that only make times precise, its later ones after them.
  for (const unsigned round : {0U, 5U}) {
    trial::TrialSpec other = plan.front();
    other.id = plan.size();
    other.round = round;
    other.pass = "memory";
    plan.push_back(other);
  }
  std::vector<std::string> order;
  Scripted executor([&](const trial::TrialSpec& spec) {
    if (spec.allocator == "glibc") order.push_back(spec.pass == "memory" ? spec.pass : spec.variant);
    const double scatter = spec.variant == "noisy" ? 40 : 4;
    return ok(spec.allocator == "glibc" ? 100 : 100 + scatter * (spec.round % 2));
  });
  CHECK(cli::measure(plan, churn_wants_time(), executor, precise, progress) == cli::End::kComplete);
  REQUIRE(order.size() == 18);
  CHECK(std::vector<std::string>(order.begin(), order.begin() + 6) ==
        std::vector<std::string>{"steady", "noisy", "steady", "noisy", "steady", "noisy"});
  CHECK(order[6] == "memory");
  CHECK(std::vector<std::string>(order.begin() + 7, order.begin() + 12) ==
        std::vector<std::string>(5, "noisy"));
  CHECK(order.back() == "memory");
  CHECK(executor.ran.size() == plan.size());
}
