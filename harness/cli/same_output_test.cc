#include "harness/cli/same_output.h"

#include <catch2/catch.hpp>

using namespace heapmark;
using Catch::Contains;

namespace {

record::Record record_of(const std::string& allocator, const std::string& hash) {
  record::Record record;
  record.spec.allocator = allocator;
  record.spec.workload = "it";
  record.spec.variant = "command";
  record.spec.command = trial::Command{};
  record.result.outcome = trial::Outcome::kOk;
  record.result.output = trial::Output{hash, 3};
  return record;
}

struct Run {
  Run() { results.asked.baseline = "glibc"; }
  trial::TrialResult add(const std::string& allocator, const std::string& hash, bool ignore = false) {
    record::Record record = record_of(allocator, hash);
    record.spec.command->ignore_output = ignore;
    cli::require_same_output(results, record.spec, record.result);
    results.records.push_back(record);
    return record.result;
  }
  record::Results results;
};

}  // namespace

TEST_CASE("what is printed as with the baseline is fine") {
  Run run;
  CHECK(run.add("glibc", "aa").outcome == trial::Outcome::kOk);
  CHECK(run.add("jemalloc", "aa").outcome == trial::Outcome::kOk);
  CHECK(run.add("glibc", "aa").outcome == trial::Outcome::kOk);
}

TEST_CASE("another output fails the trial and says both") {
  Run run;
  (void)run.add("glibc", "aa");
  const trial::TrialResult result = run.add("jemalloc", "bb");
  CHECK(result.outcome == trial::Outcome::kOutputDiffers);
  CHECK_THAT(result.message,
             Contains("3 bytes, hash bb") && Contains("glibc's first trial (3 bytes, hash aa)"));
  CHECK_THAT(result.message, !Contains("same allocator"));
}

TEST_CASE("a program that never prints the same is told from an allocator's doing") {
  Run run;
  (void)run.add("glibc", "aa");
  CHECK_THAT(run.add("glibc", "bb").message,
             Contains("on the same allocator too") && Contains("--ignore-output"));
  (void)run.add("jemalloc", "aa");
  CHECK_THAT(run.add("jemalloc", "cc").message, Contains("on the same allocator too"));
}

TEST_CASE("before the baseline's first trial nothing fails, and the baseline notes the difference") {
  Run run;
  CHECK(run.add("jemalloc", "bb").outcome == trial::Outcome::kOk);
  const trial::TrialResult baseline = run.add("glibc", "aa");
  CHECK(baseline.outcome == trial::Outcome::kOk);
  REQUIRE(baseline.notes.size() == 1);
  CHECK_THAT(baseline.notes[0], Contains("than with jemalloc before"));
  CHECK(run.add("jemalloc", "bb").outcome == trial::Outcome::kOutputDiffers);
}

TEST_CASE("with --ignore-output nothing is compared") {
  Run run;
  (void)run.add("glibc", "aa", true);
  CHECK(run.add("jemalloc", "bb", true).outcome == trial::Outcome::kOk);
}
