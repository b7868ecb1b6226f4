// The ledger from outside: exact counts of a process that makes known calls, and, for brkmmap, the same
// counts that its own counters give.
#include <catch2/catch.hpp>
#include <cstdlib>

#include "harness/ledger/os_ledger.h"
#include "harness/trial/process_executor.h"

using namespace heapmark::trial;

namespace {

const std::string kBuild = std::getenv("HEAPMARK_BUILD_DIR");

bool ledger_is_allowed() {
  const std::string why = heapmark::ledger::OsLedger::forbidden();
  if (!why.empty()) WARN(why);
  return why.empty();
}

TrialResult run(const std::string& host, const std::string& workload, const Pairs& parameters = {}) {
  TrialSpec spec;
  spec.workload = workload;
  spec.pass = "ledger";
  spec.parameters = parameters;
  if (host == "heapmark-host") spec.preload = spec.library = kBuild + "/libbrkmmap.so";
  return ProcessExecutor(kBuild + "/" + host).run(spec);
}

}  // namespace

TEST_CASE("known calls are counted exactly, by threads too, and not those of forked children") {
  if (!ledger_is_allowed()) return;
  const TrialResult result = run("trial_fake_host", "known calls");
  REQUIRE(result.outcome == Outcome::kOk);
  const auto& metrics = result.metrics;
  CHECK(metrics.at("brk_grows") == 1);
  CHECK(metrics.at("brk_grow_bytes") == 3 * 4096);
  CHECK(metrics.at("trims") == 2);
  CHECK(metrics.at("trim_bytes") == 3 * 4096);
  CHECK(metrics.at("mmap_calls") == 2);
  CHECK(metrics.at("mmap_bytes") == 12 * 4096);
  CHECK(metrics.at("purges") == 2);
  CHECK(metrics.at("purge_bytes") == 5 * 4096);
  CHECK(metrics.at("releases") == 4);
  CHECK(metrics.at("release_bytes") == (1 + 1 + 16 + 2) * 4096);
  CHECK(metrics.at("mremap_calls") == 1);
  CHECK(metrics.at("brk_refused") == 1);
  CHECK(metrics.at("mmap_refused") == 1);
  CHECK(metrics.at("munmap_refused") == 1);
  CHECK(metrics.at("mremap_refused") == 2);
  CHECK(metrics.at("madvise_refused") == 1);
  CHECK(metrics.at("kernel_calls") == 5 + 3 + 6 + 3 + 4);  // brk, mmap, munmap, mremap, madvise
  CHECK(metrics.at("mapped_peak_bytes") == 16 * 4096);
  CHECK(metrics.at("mapped_end_bytes") == 0);
  CHECK(result.tables.at("kernel_events").rows.size() == 1 + 2 + 2 + 2 + 4 + 1);
}

TEST_CASE("a process of one thread is kept on one CPU, and with a second all run where they might before") {
  if (!ledger_is_allowed()) return;
  // Often: the first thread may start the next before the kernel tells of one.
  for (int repeat = 0; repeat < 20; ++repeat) {
    const TrialResult result = run("trial_fake_host", "cpus");
    REQUIRE(result.outcome == Outcome::kOk);
    CHECK(result.metrics.at("cpus_alone") == 1);
    CHECK(result.metrics.at("cpus_with_threads") == result.metrics.at("cpus_before"));
  }
}

TEST_CASE("what happens before and after the workload is not counted") {
  if (!ledger_is_allowed()) return;
  const TrialResult result = run("trial_fake_host", "warm up");
  REQUIRE(result.outcome == Outcome::kOk);
  CHECK(result.metrics.at("kernel_calls") == 0);
  CHECK(result.metrics.at("mapped_peak_bytes") == 0);
}

TEST_CASE("the ledger and brkmmap's own counters agree exactly") {
  if (!ledger_is_allowed()) return;
  const std::pair<std::string, Pairs> workloads[] = {
      {"tutorial", {}},
      {"churn", {{"sizes", "small"}, {"live", "8M"}, {"operations", "200000"}, {"idle_ms", "0"}}},
      {"churn",
       {{"sizes", "mixed"}, {"live", "32M"}, {"operations", "60000"}, {"idle_ms", "0"}, {"threads", "4"}}},
      {"churn",
       {{"sizes", "large"}, {"live", "64M"}, {"operations", "4000"}, {"idle_ms", "0"}, {"threads", "3"}}},
      {"breathe",
       {{"sizes", "buffers"}, {"level", "128M"}, {"breaths", "15"}}},  // mremap puts mappings together
      {"large_block", {{"budget", "64M"}, {"rounds", "2"}}},
      {"large_block", {{"budget", "64M"}, {"rounds", "2"}, {"limit", "as"}}},
      {"large_block", {{"budget", "64M"}, {"rounds", "2"}, {"limit", "data"}}},
  };
  const std::pair<const char*, const char*> counters[] = {
      {"brk_grows", "own_brk_grows"}, {"brk_grow_bytes", "own_brk_grow_bytes"},
      {"trims", "own_trims"},         {"trim_bytes", "own_trim_bytes"},
      {"purges", "own_purges"},       {"purge_bytes", "own_purge_bytes"},
      {"releases", "own_releases"},   {"release_bytes", "own_release_bytes"},
      {"mmap_calls", "own_mmaps"},    {"mmap_bytes", "own_mmap_bytes"},
      {"mremap_calls", "own_mremaps"}};
  for (const auto& [workload, parameters] : workloads) {
    const TrialResult result = run("heapmark-host", workload, parameters);
    CAPTURE(workload, result.message);
    REQUIRE(result.outcome == Outcome::kOk);
    CHECK(result.metrics.at("kernel_calls") > 0);
    for (const auto& [ledger, own] : counters) {
      CAPTURE(ledger);
      CHECK(result.metrics.at(ledger) == result.metrics.at(own));
    }
  }
}
