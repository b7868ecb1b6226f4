// The measured process as its parent sees it: that it allocates nothing of its own, proves its allocator,
// does the same work for the same seed, finds broken allocators, and tells the tutorial's known truths.
#include <fcntl.h>
#include <gnu/libc-version.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "harness/cli/known.h"
#include "harness/plan/selection.h"
#include "harness/plan/workload_list.h"
#include "harness/trial/process_executor.h"
#include "testing/selected.h"

using namespace heapmark;
using namespace heapmark::trial;
using Catch::Contains;
using heapmark::testing::select;
namespace fs = std::filesystem;

namespace {

const std::string kBuild = std::getenv("HEAPMARK_BUILD_DIR");
const std::string kHost = kBuild + "/heapmark-host";

TrialSpec spec_for(const plan::Selection& selection, const std::string& workload, const std::string& pass,
                   Pairs parameters = {}) {
  TrialSpec spec;
  spec.allocator = selection.label;
  spec.preload = selection.preload;
  spec.library = selection.library;
  spec.environment = plan::environment_of(selection);
  spec.workload = workload;
  spec.pass = pass;
  spec.parameters = std::move(parameters);
  return spec;
}

TrialResult run(const TrialSpec& spec) {
  return ProcessExecutor(kHost).run(spec);
}

// A small size of each workload.
Pairs small_work(const std::string& workload) {
  if (workload == "churn")
    return {{"live", "4M"}, {"operations", "50000"}, {"threads", "2"}, {"idle_ms", "0"}};
  if (workload == "large_block") return {{"budget", "32M"}, {"rounds", "2"}};
  if (workload == "tutorial") return {{"repeats", "10"}};
  if (workload == "breathe") return {{"level", "8M"}, {"breaths", "10"}};
  if (workload == "threads") return {{"threads", "40"}};
  if (workload == "requests") return {{"live", "4M"}, {"operations", "20000"}};
  return {};
}

// By number, with the figures that decided it.
std::map<double, std::string> failing_claims(const TrialResult& result) {
  const Table& claims = result.tables.at("claims");
  std::map<double, std::string> failing;
  for (std::size_t at = 0; at < claims.rows.size(); ++at)
    if (claims.rows[at][1] == 0) failing[claims.rows[at][0]] = claims.texts.at(at);
  return failing;
}

// Whether all of the file is in the page cache.
bool is_cached(const fs::path& path) {
  constexpr std::size_t kPage = 4096;
  const std::size_t bytes = fs::file_size(path);
  const int fd = ::open(path.c_str(), O_RDONLY);
  void* const mapped = ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, fd, 0);
  ::close(fd);
  REQUIRE(mapped != MAP_FAILED);
  std::vector<unsigned char> pages((bytes + kPage - 1) / kPage);
  const bool is_told = ::mincore(mapped, bytes, pages.data()) == 0;
  ::munmap(mapped, bytes);
  return is_told &&
         std::all_of(pages.begin(), pages.end(), [](unsigned char page) { return (page & 1) != 0; });
}

struct Ended {
  int code;
  std::string err;
};

Ended host(const std::string& arguments) {
  const fs::path err = fs::temp_directory_path() / ("heapmark-host-" + std::to_string(::getpid()));
  const int status = std::system((kHost + " " + arguments + " >/dev/null 2>" + err.string()).c_str());
  std::ifstream file(err);
  Ended ended{WEXITSTATUS(status), {std::istreambuf_iterator<char>(file), {}}};
  fs::remove(err);
  return ended;
}

}  // namespace

TEST_CASE("files that are not in the page cache cost the measured process no major fault") {
  const fs::path folder = fs::temp_directory_path() / ("heapmark-cold-" + std::to_string(::getpid()));
  fs::create_directory(folder);
  for (const char* const name : {"heapmark-host", "libbrkmmap.so"}) {
    fs::copy_file(fs::path(kBuild) / name, folder / name);
    // More than the kernel reads ahead: what is there afterwards was not brought by the trial.
    std::ofstream(folder / name, std::ios::app | std::ios::binary) << std::string(std::size_t{16} << 20, 'x');
    const int fd = ::open((folder / name).c_str(), O_RDONLY);
    REQUIRE(fd >= 0);
    REQUIRE(::fsync(fd) == 0);
    REQUIRE(::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) == 0);
    ::close(fd);
  }
  TrialSpec spec = spec_for(select("brkmmap").front(), "churn", "memory", small_work("churn"));
  spec.preload = spec.library = (folder / "libbrkmmap.so").string();
  const TrialResult result = ProcessExecutor((folder / "heapmark-host").string()).run(spec);
  CHECK(is_cached(folder / "heapmark-host"));
  CHECK(is_cached(folder / "libbrkmmap.so"));
  fs::remove_all(folder);
  CAPTURE(result.message);
  REQUIRE(result.outcome == trial::Outcome::kOk);
  CHECK(result.metrics.at("major_faults") == 0);
}

TEST_CASE("between its start and the workload the measured process never calls malloc") {
  const fs::path counts = fs::temp_directory_path() / ("heapmark-counts-" + std::to_string(::getpid()));
  for (const plan::WorkloadInfo& workload : cli::ask_workloads(kHost)) {
    if (workload.group != "standard") continue;  // the others: one frame, in workload_table_test
    for (const std::string pass : {"speed", "memory", "limit", "latency"}) {
      std::ofstream(counts, std::ios::trunc) << std::string(4096, '\0');
      TrialSpec spec;
      spec.preload = spec.library = kBuild + "/libheapmark-counter.so";
      spec.environment = {{"HEAPMARK_COUNTER_FILE", counts.string()}};
      spec.workload = workload.name;
      spec.pass = pass;
      spec.parameters = small_work(workload.name);
      const TrialResult result = run(spec);
      CAPTURE(workload.name, pass, result.message);
      REQUIRE(result.outcome == trial::Outcome::kOk);
      std::ifstream file(counts, std::ios::binary);
      std::uint64_t before = 1, after = 0;
      file.read(reinterpret_cast<char*>(&before), sizeof before);
      file.read(reinterpret_cast<char*>(&after), sizeof after);
      CHECK(before == 0);
      CHECK(after > 0);  // else the counter does not count
    }
  }
  fs::remove(counts);
}

TEST_CASE("a library that is not the malloc in use is a wrong allocator") {
  TrialSpec spec = spec_for(select("glibc").front(), "tutorial", "memory");
  spec.library = kBuild + "/libbrkmmap.so";
  CHECK(run(spec).outcome == trial::Outcome::kWrongAllocator);
  // ld.so only warns of a preload that cannot be loaded
  spec = spec_for(select("brkmmap").front(), "tutorial", "memory");
  spec.preload = "/nonexistent/libbrkmmap.so";
  const TrialResult result = run(spec);
  CHECK(result.outcome == trial::Outcome::kWrongAllocator);
  CHECK_THAT(result.message, Contains("libc") && Contains("cannot be preloaded"));
}

TEST_CASE("glibc's dynamic threshold keeps the break up, and pinning it lets the trim happen") {
  const bool known = std::string(gnu_get_libc_version()) == "2.36";
  const TrialResult by_default = run(spec_for(select("glibc").front(), "tutorial", "memory"));
  REQUIRE(by_default.outcome == trial::Outcome::kOk);
  const TrialResult pinned =
      run(spec_for(select("glibc[mmap_threshold=128K]").front(), "tutorial", "memory"));
  REQUIRE(pinned.outcome == trial::Outcome::kOk);
  if (!known) return;  // the figures are those of glibc 2.36
  const auto failing = failing_claims(by_default);
  REQUIRE(failing.size() == 1);
  CHECK(failing.begin()->first == 11);
  CHECK(by_default.metrics.at("break_end_bytes") == 300 * 1024);
  CHECK(failing_claims(pinned).empty());
  CHECK(pinned.metrics.at("break_end_bytes") == 160 * 1024);
}

TEST_CASE("brkmmap holds every claim of the tutorial that this machine can decide") {
  const TrialResult result = run(spec_for(select("brkmmap").front(), "tutorial", "memory"));
  REQUIRE(result.outcome == trial::Outcome::kOk);
  for (const auto& [number, figures] : failing_claims(result)) FAIL_CHECK(number << ": " << figures);
  CHECK(result.metrics.at("claims_held") == result.metrics.at("claims_decided"));
  CHECK(result.metrics.at("claims_held") >= 11);
}

TEST_CASE("the same seed does the same work on every allocator, on one thread and on four") {
  const auto selections = select("all");
  for (const Pairs& parameters : {Pairs{{"live", "4M"}, {"operations", "50000"}},
                                  Pairs{{"live", "4M"}, {"operations", "50000"}, {"threads", "4"}}}) {
    std::set<std::uint64_t> operations;
    for (const plan::Selection& selection : selections) {
      if (!selection.skipped.empty()) continue;
      const TrialResult result = run(spec_for(selection, "churn", "speed", parameters));
      CAPTURE(selection.label, result.message);
      REQUIRE(result.outcome == trial::Outcome::kOk);
      operations.insert(result.operations);
    }
    CHECK(operations == std::set<std::uint64_t>{50000});
  }
}

TEST_CASE("every allocator found here stands the checks of overlap, alignment and contents") {
  for (const plan::Selection& selection : select("all,floor")) {
    if (!selection.skipped.empty()) continue;
    for (const char* workload : {"tutorial", "churn", "large_block", "breathe", "threads", "requests"}) {
      TrialSpec spec = spec_for(selection, workload, "memory", small_work(workload));
      spec.check = true;
      const TrialResult result = run(spec);
      CAPTURE(selection.label, workload, result.message);
      CHECK(result.outcome == trial::Outcome::kOk);
    }
  }
}

TEST_CASE("an allocator that hands out a block twice is found out") {
  TrialSpec spec;
  spec.preload = spec.library = kBuild + "/libheapmark-broken.so";
  spec.workload = "churn";
  spec.pass = "memory";
  spec.parameters = {{"live", "1M"}, {"operations", "20000"}, {"idle_ms", "0"}};
  spec.check = true;
  const TrialResult result = run(spec);
  CHECK(result.outcome == trial::Outcome::kCheckFailed);
  CHECK_THAT(result.message, Contains("contents were changed"));
}

TEST_CASE("resident memory is counted to the page, whatever the allocator's own pages") {
  // 64 MiB in blocks of 1 MiB by one thread: net RSS is the live bytes and at most 2 % more
  const TrialResult result =
      run(spec_for(select("glibc").front(), "churn", "memory",
                   {{"sizes", "large"}, {"live", "64M"}, {"operations", "1000"}, {"idle_ms", "0"}}));
  REQUIRE(result.outcome == trial::Outcome::kOk);
  const Table& samples = result.tables.at("samples");
  REQUIRE(samples.rows.size() > 100);
  CHECK(samples.columns[2] == "live_bytes");
  CHECK(samples.columns[3] == "rss_bytes");
  CHECK(samples.rows.front()[3] / samples.rows.front()[2] == Approx(1.0).margin(0.02));
}

TEST_CASE(
    "samples of threads that come and go count operations, and leave out live bytes, which nobody counted") {
  const TrialResult result =
      run(spec_for(select("glibc").front(), "threads", "memory", {{"threads", "400"}}));
  REQUIRE(result.outcome == trial::Outcome::kOk);
  const Table& samples = result.tables.at("samples");
  REQUIRE(samples.rows.size() > 10);
  for (const auto& row : samples.rows) CHECK(std::isnan(row[2]));
  CHECK(samples.rows.back()[0] == static_cast<double>(result.operations));
}

TEST_CASE("each phase of a churn has a name of its own, as many as there may be") {
  const TrialResult result = run(spec_for(
      select("glibc").front(), "churn", "memory",
      {{"live", "1M"}, {"operations", "6400"}, {"phases", "64"}, {"idle_ms", "0"}, {"sizes", "small"}}));
  REQUIRE(result.outcome == trial::Outcome::kOk);
  CHECK(result.phases.size() == 64 + 3);
  CHECK(std::set<std::string>(result.phases.begin(), result.phases.end()).size() == result.phases.size());
  CHECK(std::count(result.phases.begin(), result.phases.end(), "phase 64") == 1);
}

TEST_CASE("a wrong command line exits 2 and says what is wrong") {
  const std::pair<const char*, const char*> mistakes[] = {
      {"", "usage"},
      {"run --workload=chrun", "unknown workload 'chrun'"},
      {"run --workload=churn --set=thraeds=2", "thraeds"},
      {"run --workload=churn --set=threads=0", "range"},
      {"run --workload=churn --set=threads=two", "not a number"},
      {"run --workload=churn --set=sizes=odd", "sizes are one size (820), a range"},
      {"run --workload=churn --set=sizes=1K..16", "not sizes: '1K..16'"},
      {"run --workload=churn --set=live=1X", "not a number"},
      {"run --workload=churn --pass=quick", "unknown pass"},
      {"run --workload=churn --seed=-1", "--seed"},
      {"run --workload=churn --what", "unknown option"},
  };
  for (const auto& [arguments, expected] : mistakes) {
    const Ended ended = host(arguments);
    CAPTURE(arguments);
    CHECK(ended.code == 2);
    CHECK_THAT(ended.err, Contains(expected));
  }
  CHECK(host("run --workload=churn --report-fd=99").code == 1);
}
