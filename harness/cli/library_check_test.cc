#include "harness/cli/library_check.h"

#include <catch2/catch.hpp>
#include <functional>

#include "harness/cli/exit_codes.h"
#include "harness/cli/terminal.h"

using namespace heapmark;
using Catch::Contains;

namespace {

class Scripted : public trial::Executor {
 public:
  explicit Scripted(trial::Outcome outcome) : outcome_(outcome) {}
  trial::TrialResult run(const trial::TrialSpec& spec) override {
    ran.push_back(spec);
    trial::TrialResult result;
    result.outcome = outcome_;
    result.message = "blocks overlap";
    return result;
  }
  std::vector<trial::TrialSpec> ran;

 private:
  trial::Outcome outcome_;
};

plan::Selection selection(const std::string& name, bool given) {
  plan::Selection one;
  one.label = one.allocator.name = name;
  one.library = one.preload = "/opt/lib" + name + ".so";
  one.given_by_path = given;
  return one;
}

}  // namespace

TEST_CASE("only libraries given by their path are checked, each once, with every block verified") {
  Scripted executor(trial::Outcome::kOk);
  plan::Selection absent = selection("absent", true);
  absent.skipped = "not installed";
  cli::check_given_libraries(
      {selection("glibc", false), selection("mine", true), selection("mine", true), absent}, executor);
  REQUIRE(executor.ran.size() == cli::check_trials(selection("mine", true)).size());
  for (const trial::TrialSpec& spec : executor.ran) {
    CHECK(spec.check);
    CHECK(spec.library == "/opt/libmine.so");
  }
}

TEST_CASE("a library that fails the check ends the run with a code of its own and says why") {
  Scripted executor(trial::Outcome::kCheckFailed);
  try {
    cli::check_given_libraries({selection("mine", true)}, executor);
    FAIL("it was not refused");
  } catch (const cli::Failure& failure) {
    CHECK(failure.exit_code() == cli::kLibraryRefused);
    CHECK_THAT(failure.what(), Contains("/opt/libmine.so") && Contains("blocks overlap"));
  }
}

TEST_CASE("what else goes wrong in the check is left to the trials, which record it") {
  for (const trial::Outcome outcome :
       {trial::Outcome::kWrongAllocator, trial::Outcome::kCrashed, trial::Outcome::kTimedOut}) {
    Scripted executor(outcome);
    CHECK_NOTHROW(cli::check_given_libraries({selection("mine", true)}, executor));
  }
}

TEST_CASE("NO_COLOR and a dumb terminal forbid colour; an empty NO_COLOR does not") {
  CHECK(cli::allows_colour(nullptr, nullptr));
  CHECK(cli::allows_colour(nullptr, "xterm"));
  CHECK(cli::allows_colour("", "xterm"));
  CHECK_FALSE(cli::allows_colour("1", "xterm"));
  CHECK_FALSE(cli::allows_colour(nullptr, "dumb"));
}

TEST_CASE("two names for one library are told, two libraries and an A/A run are not") {
  plan::Selection older = selection("old", true), newer = selection("new", true),
                  twin = selection("old", true);
  older.build_id = twin.build_id = "aa";
  newer.build_id = "bb";
  twin.label = "old#2";
  CHECK(cli::same_libraries({older, newer, twin}).empty());
  newer.build_id = "aa";
  REQUIRE(cli::same_libraries({older, newer}).size() == 1);
  CHECK_THAT(cli::same_libraries({older, newer})[0], Contains("old and new are the same library"));
  newer.tunables = {{"cache", "0"}};
  CHECK(cli::same_libraries({older, newer}).empty());
}
