// Runs as the user meets them: results files, going on, merging, proof and repeatability; the real binary,
// the real workloads in their quick form. What is refused before anything runs: usage_cli_test.cc.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "harness/ledger/os_ledger.h"
#include "testing/tool.h"

using Catch::Contains;
using json = nlohmann::json;
namespace fs = std::filesystem;
using namespace heapmark::testing;

namespace {

bool ledger_is_allowed() {
  const std::string why = heapmark::ledger::OsLedger::forbidden();
  if (!why.empty()) WARN(why);
  return why.empty();
}

json results_in(const std::string& file) {
  return json::parse(contents(file));
}

}  // namespace

TEST_CASE("two runs never write the same results file: the second is refused and told who holds it") {
  const Folder folder;
  const std::string file = folder.file("r.json");
  const pid_t first = start_tool(
      folder, {"run", "-a", "glibc", "-w", "churn/small-1t", "--pass", "speed", "-r", "50", "-o", file});
  for (int tries = 0; tries < 3000 && (!fs::exists(file) || results_in(file).at("records").empty()); ++tries)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  const Folder other;
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {"run", "--resume", file}, {"run", "-a", "glibc", "-w", "tutorial", "-o", file}}) {
    const Ended second = tool(other, arguments);
    CHECK(second.exit_code == 6);
    CHECK_THAT(second.err, Contains("is being written by process " + std::to_string(first)));
  }
  ::kill(first, SIGTERM);
  const Ended ended = end_of(folder, first);
  CHECK(ended.exit_code == 128 + SIGTERM);  // and not Ctrl-C's
  CHECK_THAT(ended.out, Contains("--resume " + file));
  CHECK_FALSE(fs::exists(file + ".lock"));
}

TEST_CASE("a library that hands out overlapping blocks is refused before it gets figures") {
  const Folder folder;
  const std::string file = folder.file("r.json"), library = build_folder() + "/libheapmark-broken.so";
  const Ended ran = tool(folder, {"run", "-a", "glibc,mine=" + library, "-w", "tutorial", "-o", file});
  CHECK(ran.exit_code == 5);
  CHECK_THAT(ran.err, Contains("mine") && Contains(library) && Contains("blocks overlap"));
  CHECK_FALSE(fs::exists(file));
  CHECK(tool(folder, {"tutorial", "-a", "mine=" + library}).exit_code == 5);
}

TEST_CASE("exec runs any command on an allocator, with the command's own flags and exit code") {
  const Folder folder;
  const Ended ended =
      tool(folder, {"exec", "-a", "brkmmap[mmap_threshold=1M]", "--", "sh", "-c",
                    "echo $BRKMMAP_MMAP_THRESHOLD; grep -c libbrkmmap.so /proc/self/maps; exit 7"});
  CHECK(ended.exit_code == 7);
  CHECK_THAT(ended.out, Catch::StartsWith("1048576\n") && !Contains("\n0\n"));
  CHECK(tool(folder, {"exec", "-a", "glibc", "--"}).exit_code == 2);
  CHECK(tool(folder, {"exec", "-a", "glibc", "--", "/nonexistent/program"}).exit_code == 127);
}

TEST_CASE("a run leaves a results file whose tables can be shown again in each format") {
  if (!ledger_is_allowed()) return;
  const Folder folder;
  const std::string file = folder.file("r.json");
  const Ended ran = tool(folder, {"run", "-a", "glibc,brkmmap", "-w", "tutorial", "--quick", "-o", file});
  CAPTURE(ran.err);
  REQUIRE(ran.exit_code == 0);
  CHECK_THAT(ran.out, Contains("Fastest: ") && Contains("Next: heapmark ") && !Contains("further figures"));
  CHECK(std::count(ran.out.begin(), ran.out.end(), '\n') <= 11);  // ten of words, and where the file is
  const json root = results_in(file);
  CHECK(root.at("schema") == 2);
  CHECK_FALSE(root.at("statistics").empty());
  CHECK_FALSE(root.at("benchmarks").empty());
  for (const json& record : root.at("records")) CHECK(record.at("outcome") == "ok");

  CHECK_THAT(tool(folder, {"show", file}).out,
             Contains("tutorial / sequence") && Contains("further figures"));
  CHECK_THAT(tool(folder, {"show", file, "--format", "words"}).out, Contains("Fastest: "));
  CHECK_THAT(tool(folder, {"show", file, "--format", "markdown"}).out, Contains("| :-- |"));
  CHECK_THAT(tool(folder, {"show", file, "--format", "csv"}).out, Contains("workload,variant,pass"));
  CHECK(tool(folder, {"show", file, "--format", "xml"}).exit_code == 2);
  CHECK(tool(folder, {"show", file, "--margin", "3"}).exit_code == 2);
  // what was measured is never overwritten
  CHECK(tool(folder, {"run", "-a", "glibc", "-w", "tutorial", "--quick", "-o", file}).exit_code == 2);
}

TEST_CASE("a library that is no malloc fails its trials as the wrong allocator, and the run exits 3") {
  const Folder folder;
  const std::string file = folder.file("r.json"), library = build_folder() + "/libheapmark-noop.so";
  const Ended ran = tool(folder, {"run", "-a", "glibc,mine=" + library, "-w", "tutorial", "--pass", "memory",
                                  "--quick", "-o", file});
  CAPTURE(ran.err);
  CHECK(ran.exit_code == 3);
  std::size_t wrong = 0;
  const json root = results_in(file);
  for (const json& record : root.at("records")) {
    if (record.at("allocator") != "mine") continue;
    ++wrong;
    CHECK(record.at("outcome") == "wrong allocator");
  }
  CHECK(wrong == 2);
  CHECK_THAT(ran.out, Contains("wrong allocator"));
}

TEST_CASE("a build whose path has a space and a colon measures and executes like any other") {
  const Folder folder;
  const fs::path build = folder.path() / "my heap:mark";
  fs::create_directory(build);
  for (const char* part : {"heapmark", "heapmark-host", "libheapmark-noop.so", "libbrkmmap.so"})
    fs::copy_file(fs::path(build_folder()) / part, build / part);
  const Ended ended = tool(folder,
                           {"run", "-a", "glibc,brkmmap", "-w", "tutorial", "--quick", "-r", "1", "--pass",
                            "speed,memory", "-o", folder.file("r.json")},
                           build);
  CAPTURE(ended.err);
  CHECK(ended.exit_code == 0);
  const json records = results_in(folder.file("r.json"))["records"];
  CHECK(records.size() == 4);
  for (const json& record : records) CHECK(record["outcome"] == "ok");

  const Ended loaded = tool(
      folder, {"exec", "-a", "brkmmap", "--", "grep", "-c", "my heap:mark/libbrkmmap", "/proc/self/maps"},
      build);
  CHECK(loaded.err.empty());
  CHECK(loaded.exit_code == 0);
  CHECK(std::atoi(loaded.out.c_str()) > 0);
}

TEST_CASE("a compressed results file is written, shown, gone on with and merged; a damaged one is named") {
  const Folder folder;
  const std::string file = folder.file("r.json.zst");
  const Ended ended = tool(
      folder, {"run", "-a", "glibc", "-w", "tutorial", "--quick", "-r", "1", "--pass", "memory", "-o", file});
  CAPTURE(ended.err);
  CHECK(contents(file).starts_with("\x28\xB5\x2F\xFD"));
  CHECK(tool(folder, {"run", "--resume", file, "-r", "2"}).exit_code == 0);
  const Ended shown = tool(folder, {"show", file, "--format", "csv"});
  CHECK(shown.exit_code == 0);
  CHECK_THAT(shown.out, Contains("tutorial"));
  CHECK(tool(folder, {"merge", file, "-o", folder.file("plain.json")}).exit_code == 0);
  CHECK(results_in(folder.file("plain.json"))["records"].size() == 2);
  CHECK(tool(folder, {"show", folder.file("plain.json"), "--format", "csv"}).out == shown.out);

  fs::resize_file(file, fs::file_size(file) / 2);
  const Ended broken = tool(folder, {"show", file});
  CHECK(broken.exit_code == 2);
  CHECK_THAT(broken.err, Contains("r.json.zst ends too early"));
}

TEST_CASE("a run that is killed leaves a readable file, and --resume finishes it") {
  const Folder folder;
  const std::string file = folder.file("r.json");
  const pid_t child = start_tool(folder, {"run", "-a", "glibc,brkmmap", "-w", "churn/small-1t", "--pass",
                                          "speed,memory", "--quick", "-o", file});
  const auto finished = [&]() -> std::size_t {
    return fs::exists(file) ? results_in(file).at("records").size()
                            : 0;  // each state of the file can be parsed
  };
  for (int tries = 0; tries < 3000 && finished() < 2; ++tries)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  ::kill(child, SIGKILL);
  CHECK(end_of(folder, child).exit_code == 128 + SIGKILL);
  const std::size_t kept = finished();
  REQUIRE(kept >= 2);

  const Ended resumed = tool(folder, {"run", "--resume", file});
  CAPTURE(resumed.err);
  CHECK(resumed.exit_code == 0);
  const json root = results_in(file);
  CHECK(root.at("records").size() == 2 * 3 + 2 * 2);
  CHECK_FALSE(root.at("statistics").empty());
}

TEST_CASE("Ctrl-C keeps what was measured and says how to go on") {
  const Folder folder;
  const std::string file = folder.file("r.json");
  const pid_t child = start_tool(
      folder, {"run", "-a", "glibc", "-w", "churn/small-1t", "--pass", "speed", "-r", "50", "-o", file});
  for (int tries = 0; tries < 3000 && (!fs::exists(file) || results_in(file).at("records").empty()); ++tries)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  ::kill(child, SIGINT);
  const Ended ended = end_of(folder, child);
  CHECK(ended.exit_code == 128 + SIGINT);
  CHECK_THAT(ended.out, Contains("--resume " + file));
  CHECK_FALSE(results_in(file).at("records").empty());
}

TEST_CASE("the same seed gives the same operations and, where they are deterministic, the same counters") {
  if (!ledger_is_allowed()) return;
  const Folder folder;
  std::array<json, 2> runs;
  // With dynamic=1 brkmmap goes by the clock: what was given back in vain is kept for some seconds.
  for (std::size_t at = 0; at < runs.size(); ++at) {
    const std::string file = folder.file("r" + std::to_string(at) + ".json");
    REQUIRE(tool(folder, {"run", "-a", "glibc,brkmmap[dynamic=0]", "-w",
                          "tutorial,churn/small-1t,churn/mixed-1t,large_block", "--pass", "ledger", "--quick",
                          "--seed", "7", "-o", file})
                .exit_code == 0);
    runs[at] = results_in(file).at("records");
  }
  REQUIRE(runs[0].size() == runs[1].size());
  for (std::size_t at = 0; at < runs[0].size(); ++at) {
    const json &one = runs[0][at], &other = runs[1][at];
    CAPTURE(one.at("workload"), one.at("variant"), one.at("allocator"));
    CHECK(one.at("operations") == other.at("operations"));
    // Where the kernel puts the heap decides how many tables of addresses brkmmap maps.
    if (one.at("allocator") == "glibc")
      CHECK(one.at("metrics").at("mmap_calls") == other.at("metrics").at("mmap_calls"));
    for (const char* metric : {"brk_calls", "trims", "releases", "purges"}) {
      CAPTURE(metric);
      CHECK(one.at("metrics").at(metric) == other.at("metrics").at(metric));
    }
  }
}

TEST_CASE("every headline figure is there for every allocator on every workload") {
  if (!ledger_is_allowed()) return;
  const Folder folder;
  const std::string file = folder.file("r.json");
  REQUIRE(tool(folder, {"run", "-a", "glibc,brkmmap", "-w", "tutorial,churn,large_block", "--quick", "-r",
                        "1", "-o", file})
              .exit_code == 0);
  const json root = results_in(file);
  const auto has = [&](const std::string& allocator, const std::string& workload, const std::string& metric) {
    for (const json& record : root.at("records"))
      if (record.at("allocator") == allocator && record.at("workload") == workload &&
          record.at("metrics").contains(metric))
        return true;
    return false;
  };
  for (const char* allocator : {"glibc", "brkmmap"})
    for (const char* workload : {"tutorial", "churn", "large_block"})
      for (const char* metric :
           {"ns_per_op", "rss_peak_bytes", "minor_faults", "major_faults", "trims", "purges", "releases"}) {
        CAPTURE(allocator, workload, metric);
        CHECK(has(allocator, workload, metric));
      }
  CHECK(has("glibc", "large_block", "failed_though_fitting"));
}

TEST_CASE("a sweep's shards, merged, are the sweep that was measured in one piece") {
  const Folder folder;
  const auto sweep = [&](std::vector<std::string> more, const std::string& file) {
    std::vector<std::string> arguments{"sweep",
                                       "-a",
                                       "glibc",
                                       "-w",
                                       "tutorial",
                                       "--vary",
                                       "mmap_threshold=64K,128K",
                                       "--vary",
                                       "arena_max=1,2",
                                       "--pass",
                                       "speed,memory",
                                       "-r",
                                       "2",
                                       "--quick",
                                       "-o",
                                       file};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return tool(folder, arguments).exit_code;
  };
  REQUIRE(sweep({}, folder.file("whole.json")) == 0);
  for (const std::string shard : {"1", "2", "3"})
    REQUIRE(sweep({"--shard", shard + "/3"}, folder.file(shard + ".json")) == 0);
  REQUIRE(tool(folder, {"merge", folder.file("3.json"), folder.file("1.json"), folder.file("2.json"), "-o",
                        folder.file("all.json")})
              .exit_code == 0);
  const auto trials = [](const std::string& file) {
    json rows = json::array();
    const json root = results_in(file);
    for (const json& one : root.at("records"))
      rows.push_back({one.at("id"), one.at("allocator"), one.at("variant"), one.at("pass"), one.at("round"),
                      one.at("parameters"), one.at("environment"), one.at("seed")});
    return rows;
  };
  CHECK(trials(folder.file("all.json")).size() == 20);
  CHECK(trials(folder.file("all.json")) == trials(folder.file("whole.json")));
  const Ended incomplete =
      tool(folder, {"merge", folder.file("3.json"), folder.file("1.json"), "-o", folder.file("part.json")});
  CHECK(incomplete.exit_code == 3);
  CHECK_THAT(incomplete.err, Contains("shard 2/3 missing"));
  const Ended csv = tool(folder, {"show", folder.file("all.json"), "--format", "csv"});
  CHECK_THAT(csv.out, Contains("verdict,more_rounds,mmap_threshold,arena_max"));
}
