// Every registered workload of the groups patterns and classic, in each of its variants, by one table: the
// same seed does the same operations on two allocators, memory is touched, --check is clean in each pass
// outside the speed pass, and what it asks for is freed at the end.
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "harness/cli/known.h"
#include "harness/plan/plan.h"
#include "harness/plan/selection.h"
#include "harness/plan/workload_list.h"
#include "harness/plan/written_value.h"
#include "harness/trial/process_executor.h"
#include "testing/selected.h"

using namespace heapmark;
using namespace heapmark::trial;
using heapmark::testing::select;
namespace fs = std::filesystem;

namespace {

const std::string kBuild = std::getenv("HEAPMARK_BUILD_DIR");
const std::string kHost = kBuild + "/heapmark-host";

// One round of every variant of both groups in these passes, on these allocators, in their --quick size.
std::vector<TrialSpec> trials(const std::string& allocators, const std::string& pass) {
  plan::Request request;
  request.workloads = {"patterns", "classic"};
  request.passes = {pass};
  request.quick = true;
  request.rounds = plan::default_rounds(true);
  std::vector<TrialSpec> specs = plan::make_plan(request, select(allocators), cli::ask_workloads(kHost));
  std::erase_if(specs, [&](const TrialSpec& spec) { return spec.round != specs.front().round; });
  for (TrialSpec& spec : specs) spec.lockstep = false;
  return specs;
}

TrialResult run(const TrialSpec& spec) {
  return ProcessExecutor(kHost).run(spec);
}

// A tenth of the operations, where they are a parameter: with --check each byte is written and read.
void shorten(TrialSpec& spec) {
  for (auto& [name, value] : spec.parameters)
    if (name == "operations")
      value = std::to_string(static_cast<long>(plan::parse_number(value).value().value / 10));
}

}  // namespace

TEST_CASE("every file of patterns and classic is a workload that the host knows") {
  std::map<std::string, std::size_t> files, known;
  for (const char* const group : {"patterns", "classic"})
    for (const auto& file :
         fs::directory_iterator(fs::path(std::getenv("HEAPMARK_SOURCE_DIR")) / "workloads" / group))
      files[group] += file.path().extension() == ".cc";
  for (const plan::WorkloadInfo& workload : cli::ask_workloads(kHost)) ++known[workload.group];
  for (const auto& [group, count] : files) {
    CAPTURE(group);
    CHECK(known[group] == count);
  }
}

TEST_CASE("each pattern and classic does the same operations for one seed on two allocators") {
  std::map<std::string, std::uint64_t> operations;
  for (const TrialSpec& spec : trials("glibc,brkmmap", "speed")) {
    const TrialResult result = run(spec);
    const std::string name = spec.workload + "/" + spec.variant;
    CAPTURE(name, spec.allocator, result.message);
    REQUIRE(result.outcome == trial::Outcome::kOk);
    CHECK(result.operations > 0);
    const auto [known, first] = operations.emplace(name, result.operations);
    if (!first) CHECK(known->second == result.operations);
  }
  CHECK(operations.size() >= 20);
}

TEST_CASE("each pattern and classic stands the checks and holds what it says is live") {
  for (TrialSpec spec : trials("glibc,brkmmap", "memory")) {
    spec.check = true;
    shorten(spec);
    const TrialResult result = run(spec);
    CAPTURE(spec.workload, spec.variant, spec.allocator, result.message);
    REQUIRE(result.outcome == trial::Outcome::kOk);
    // Touched: no live set can be larger than the resident memory but by sampling between threads.
    const Table& samples = result.tables.at("samples");
    double live = 0;
    for (const auto& row : samples.rows) live = std::max(live, row[2]);
    CHECK(result.metrics.at("rss_peak_bytes") >= 0.9 * live);
  }
}

TEST_CASE("each pattern and classic has all its calls timed in the latency pass") {
  for (const TrialSpec& spec : trials("glibc", "latency")) {
    const TrialResult result = run(spec);
    CAPTURE(spec.workload, spec.variant, result.message);
    REQUIRE(result.outcome == trial::Outcome::kOk);
    // The fill and the final free too, which `operations` leaves out.
    CHECK(result.metrics.at("timed_calls") >= static_cast<double>(result.operations));
  }
}

TEST_CASE("each pattern and classic frees as many blocks as it asks for") {
  const fs::path counts = fs::temp_directory_path() / ("heapmark-freed-" + std::to_string(::getpid()));
  for (TrialSpec spec : trials("glibc", "memory")) {
    std::ofstream(counts, std::ios::trunc) << std::string(4096, '\0');
    spec.preload = spec.library = kBuild + "/libheapmark-counter.so";
    spec.environment = {{"HEAPMARK_COUNTER_FILE", counts.string()}};
    const TrialResult result = run(spec);
    CAPTURE(spec.workload, spec.variant, result.message);
    REQUIRE(result.outcome == trial::Outcome::kOk);
    std::uint64_t seen[4] = {};
    std::ifstream(counts, std::ios::binary).read(reinterpret_cast<char*>(seen), sizeof seen);
    CHECK(seen[2] > 0);
    CHECK(seen[2] == seen[3]);
  }
  fs::remove(counts);
}
