// A command as the work of `heapmark run`, as its user meets it: tables, the results file, messages, and that
// nothing is left running whatever happens to heapmark itself.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "harness/cli/command_flags.h"
#include "harness/ledger/os_ledger.h"
#include "harness/plan/usage_error.h"
#include "testing/soon.h"
#include "testing/tool.h"

using Catch::Contains;
using json = nlohmann::json;
namespace fs = std::filesystem;
using namespace heapmark::testing;

namespace {

using Clock = std::chrono::steady_clock;

std::string built(const std::string& name) {
  return build_folder() + "/" + name;
}

json results_in(const std::string& file) {
  return json::parse(contents(file));
}

bool ledger_is_allowed() {
  return heapmark::ledger::OsLedger::forbidden().empty();
}

// Processes that have the mark in their environment.
std::vector<pid_t> marked(const std::string& mark) {
  std::vector<pid_t> found;
  for (const fs::directory_entry& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    if (contents(entry.path() / "environ").find(mark) != std::string::npos) found.push_back(std::stoi(name));
  }
  return found;
}

}  // namespace

TEST_CASE("a command is measured in every pass, shown, resumed and exported like a workload") {
  const Folder folder;
  const std::string file = folder.file("r.json");
  const Ended run = tool(folder, {"run", "-a", "glibc,brkmmap", "-r", "2", "--tables", "-o", file, "--", "sh",
                                  "-c", "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; echo $i"});
  INFO(run.err << run.out);
  REQUIRE(run.exit_code == 0);
  CHECK_THAT(run.out, Contains("sh / command") && Contains("wall") && Contains("rss peak"));
  const json results = results_in(file);
  std::set<std::string> passes;
  for (const json& record : results.at("records")) {
    CHECK(record.at("outcome") == "ok");
    CHECK(record.at("output").at("bytes") == 6);
    passes.insert(record.at("pass").get<std::string>());
  }
  CHECK(passes.contains("speed"));
  CHECK(passes.contains("memory"));
  CHECK((passes.contains("ledger") || !ledger_is_allowed()));
  CHECK(results.at("plan").at("command").at("words").at(0) == "sh");
  CHECK_FALSE(results.at("benchmarks").empty());
  const Ended more = tool(folder, {"run", "--resume", file, "-r", "speed=3,memory=2,ledger=1"});
  INFO(more.err);
  CHECK(more.exit_code == 0);
  CHECK(results_in(file).at("records").size() == results.at("records").size() + 2);
  CHECK_THAT(tool(folder, {"show", file, "--format", "csv"}).out,
             Contains("sh,command,speed,wall_seconds,brkmmap"));
}

TEST_CASE("shards of a command's plan are merged") {
  const Folder folder;
  for (const std::string part : {"1", "2"})
    CHECK(tool(folder, {"run", "-a", "glibc,brkmmap", "-r", "2", "--pass", "speed,memory", "--shard",
                        part + "/2", "--name", "it", "-o", folder.file(part), "--", "true"})
              .exit_code == 0);
  CHECK(tool(folder, {"merge", folder.file("1"), folder.file("2"), "-o", folder.file("all")}).exit_code == 0);
  CHECK(results_in(folder.file("all")).at("records").size() == 8);
}

TEST_CASE("the ledger follows a command through forks and execs") {
  if (!ledger_is_allowed()) return;
  const Folder folder;
  const std::string file = folder.file("r.json");
  // Each python maps blocks above every mmap threshold: once in the shell's child, once in a grandchild.
  const std::string grow = "/usr/bin/python3 -S -c 'b=[bytearray(64<<20) for _ in range(2)]'";
  const Ended run = tool(folder, {"run", "-a", "glibc", "-r", "1", "--pass", "ledger", "-o", file, "--", "sh",
                                  "-c", grow + "; sh -c \"" + grow + "; true\"; true"});
  INFO(run.err);
  REQUIRE(run.exit_code == 0);
  const json record = results_in(file).at("records").at(0);
  CHECK(record.at("metrics").at("mmap_bytes") >= 4 * (64 << 20));
  CHECK(record.at("metrics").at("mapped_peak_bytes") >= 2 * (64 << 20));
  CHECK(record.at("metrics").at("mapped_peak_bytes") < 4 * (64 << 20));
}

TEST_CASE("another output fails the trial, and --ignore-output allows it") {
  const Folder folder;
  const std::vector<std::string> varies{"--", "sh", "-c", "echo $$ $HEAPMARK_PADDING"};
  std::vector<std::string> run{"run", "-a", "glibc", "-r", "3", "--pass", "speed", "-o", folder.file("a")};
  run.insert(run.end(), varies.begin(), varies.end());
  const Ended failed = tool(folder, run);
  CHECK(failed.exit_code == 3);
  CHECK_THAT(failed.out, Contains("output differs"));
  run = {"run", "-a", "glibc", "-r", "3", "--pass", "speed", "--ignore-output", "-o", folder.file("b")};
  run.insert(run.end(), varies.begin(), varies.end());
  CHECK(tool(folder, run).exit_code == 0);
}

TEST_CASE("a program that loses LD_PRELOAD fails, one on its own malloc is named") {
  const Folder folder;
  const Ended lost = tool(folder, {"run", "-a", "brkmmap", "-r", "1", "--pass", "memory", "-o",
                                   folder.file("a"), "--", "env", "-i", "/bin/sleep", "0.5"});
  CHECK(lost.exit_code == 3);
  CHECK_THAT(lost.out, Contains("wrong allocator"));
  CHECK_THAT(results_in(folder.file("a")).at("records").at(0).at("message").get<std::string>(),
             Contains("sleep runs without libbrkmmap.so") && Contains("replaced its environment"));
  const Ended own = tool(folder, {"run", "-a", "brkmmap", "-r", "1", "--pass", "speed", "-o",
                                  folder.file("b"), "--", built("static_program")});
  CHECK(own.exit_code == 0);
  CHECK_THAT(own.err, Contains("is statically linked: it runs on its own malloc"));
  CHECK_THAT(tool(folder, {"exec", "-a", "brkmmap", "--", built("static_program")}).err,
             Contains("is statically linked: it runs on its own malloc"));
}

TEST_CASE("a child whose LD_PRELOAD the program changes is named") {
  const Folder folder;
  const Ended run = tool(folder, {"run", "-a", "brkmmap", "-r", "1", "--pass", "memory", "-o",
                                  folder.file("a"), "--", "sh", "-c", "LD_PRELOAD= sleep 0.5; true"});
  CHECK(run.exit_code == 3);
  CHECK_THAT(results_in(folder.file("a")).at("records").at(0).at("message").get<std::string>(),
             Contains("sleep runs without libbrkmmap.so") && Contains("changed LD_PRELOAD"));
}

TEST_CASE("two builds of one library are compared under their names, with tunables") {
  const Folder folder;
  const std::string file = folder.file("r.json"), library = built("libbrkmmap.so");
  const Ended run =
      tool(folder, {"run", "-a", "old=" + library + ",new:brkmmap=" + library + "[top_pad=0]", "--baseline",
                    "old", "-r", "1", "--pass", "speed,memory", "-o", file, "--", "true"});
  INFO(run.err);
  CHECK(run.exit_code == 0);
  const json results = results_in(file);
  for (const json& allocator : results.at("allocators")) CHECK_FALSE(allocator.at("build_id").empty());
  for (const json& record : results.at("records"))
    if (record.at("allocator") == "new[top_pad=0]")
      CHECK(record.at("environment").at("BRKMMAP_TOP_PAD") == "0");
  CHECK_THAT(tool(folder, {"show", file}).out,
             Contains("new[top_pad=0]: " + library) && Contains("build id"));
  CHECK_THAT(tool(folder, {"run", "-a", "old=" + library + ",new=" + library, "-r", "1", "--pass", "speed",
                           "-o", folder.file("same"), "--", "true"})
                 .err,
             Contains("old and new are the same library"));
}

TEST_CASE("a sweep varies a tunable under a command") {
  const Folder folder;
  const std::string file = folder.file("r.json");
  const Ended run = tool(folder, {"sweep", "-a", "brkmmap", "--vary", "top_pad=0,1M", "-r", "1", "--pass",
                                  "speed", "-o", file, "--", "true"});
  INFO(run.err);
  CHECK(run.exit_code == 0);
  CHECK(results_in(file).at("records").size() == 3);
}

TEST_CASE("mistakes with commands exit 2 and say what to do") {
  const Folder folder;
  const std::vector<std::pair<std::vector<std::string>, std::string>> mistakes{
      {{"run", "-w", "churn", "--", "true"}, "leave one of them out"},
      {{"run", "--check", "--", "true"}, "for built-in workloads"},
      {{"run", "--prepare", "true"}, "stands last, after --"},
      {{"run", "--cwd", "/nonexistent", "--", "true"}, "no such folder"},
      {{"run", "--input", "/nonexistent", "--", "true"}, "no such file"},
      {{"run", "--env", "NOVALUE", "--", "true"}, "NAME=VALUE"},
      {{"run", "--name", "a/b", "--", "true"}, "cannot stand in a table"},
      {{"run", "--serve", "true"}, "--ready"},
      {{"run", "--serve", "true", "--ready", "true", "--load", "true", "--", "true"}, "nothing may follow"},
      {{"run", "--serve", "true", "--ready", "true", "--load", "true", "--stop", "SIGNO"}, "--stop"},
      {{"run", "--serve", "true", "--ready", "true", "--load", "true", "--settle", "-1s"}, "--settle"},
      {{"run", "--serve", "true", "--ready", "true", "--load", "true", "--figure", "("},
       "regular expression"},
      {{"run", "--serve", "true", "--ready", "true", "--load", "true", "--lockstep"}, "waits for its load"},
      {{"run", "--load", "true"}, "--serve"},
  };
  for (const auto& [arguments, words] : mistakes) {
    const Ended run = tool(folder, arguments);
    INFO(words << ": " << run.err);
    CHECK(run.exit_code == 2);
    CHECK_THAT(run.err, Contains(words));
  }
}

TEST_CASE("in lockstep every allocator's command gets turns and ends") {
  const Folder folder;
  const std::string file = folder.file("r.json");
  const Ended run =
      tool(folder, {"run", "-a", "glibc,brkmmap", "-r", "1", "--pass", "speed", "--lockstep", "-o", file,
                    "--", "sh", "-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; echo $i"});
  INFO(run.err);
  REQUIRE(run.exit_code == 0);
  const json results = results_in(file);
  REQUIRE(results.at("records").size() == 2);
  for (const json& record : results.at("records")) {
    CHECK(record.at("lockstep") == true);
    CHECK(record.at("slices") >= 2);
    CHECK(record.at("metrics").at("wall_seconds") > 0);
  }
}

TEST_CASE("a server's words are taken apart as a shell does") {
  using heapmark::cli::split_words;
  CHECK(split_words("a  b\tc") == std::vector<std::string>{"a", "b", "c"});
  CHECK(split_words("a 'b c' \"d 'e'\" ''") == std::vector<std::string>{"a", "b c", "d 'e'", ""});
  CHECK(split_words("a\\ b \"c\\\"d\" 'e\\f'") == std::vector<std::string>{"a b", "c\"d", "e\\f"});
  CHECK(split_words("--save=''x") == std::vector<std::string>{"--save=x"});
  CHECK_THROWS_AS(split_words("a 'b"), heapmark::UsageError);
}

TEST_CASE("nothing is left running when heapmark is killed at any moment", "[kill]") {
  const Folder folder;
  std::mt19937 random(20261126);
  const auto limit = Clock::now() + std::chrono::seconds(60);
  const std::string command =
      "setsid sleep 1000 & (setsid sh -c 'sleep 1000; true' &) ; sleep 0.1; python3 -S -c 'print(1)'; true";
  int kills = 0;
  for (; kills < 50 && Clock::now() < limit; ++kills) {
    const std::string mark =
        "HEAPMARK_TEST_MARK=" + std::to_string(::getpid()) + "-" + std::to_string(kills) + "-";
    const pid_t heapmark =
        start_tool(folder, {"run", "-a", "glibc,brkmmap", "-r", "20", "--env", mark, "-o",
                            folder.file(std::to_string(kills) + ".json"), "--", "sh", "-c", command});
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 1200));
    ::kill(heapmark, SIGKILL);
    REQUIRE(::waitpid(heapmark, nullptr, 0) == heapmark);
    INFO("kill " << kills);
    REQUIRE(becomes_true([&] { return marked(mark).empty(); }, std::chrono::seconds(30)));
    // Nor is a cgroup of it left.
    const std::string cgroup = "heapmark-" + std::to_string(heapmark) + "-";
    const auto any_cgroup = [&] {
      std::error_code error;
      for (const char* const controller : {"pids", "memory", "freezer"})
        for (fs::recursive_directory_iterator at(fs::path("/sys/fs/cgroup") / controller, error), end;
             !error && at != end; at.increment(error))
          if (at->path().filename().string().starts_with(cgroup)) return true;
      return false;
    };
    REQUIRE(becomes_true([&] { return !any_cgroup(); }, std::chrono::seconds(30)));
  }
  CHECK(kills >= 5);
}
