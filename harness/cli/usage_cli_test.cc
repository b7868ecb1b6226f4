// What the program's user is told before anything is measured: mistakes in the command line, exit codes,
// help, and output that cannot be written.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "harness/cli/exit_codes.h"
#include "testing/tool.h"

using Catch::Contains;
namespace fs = std::filesystem;
using namespace heapmark::testing;

TEST_CASE("wrong usage exits 2 and says what was perhaps meant") {
  const Folder folder;
  const auto files_here = [] {
    return std::distance(fs::directory_iterator(fs::current_path()), fs::directory_iterator());
  };
  const auto before = files_here();
  const std::vector<std::pair<std::vector<std::string>, std::string>> mistakes{
      {{"rnu"}, "run"},
      {{"run", "--quik"}, "--quick"},
      {{"run", "-a", "jemaloc"}, "jemalloc"},
      {{"run", "-w", "chrun"}, "churn"},
      {{"run", "-w", "churn/smal-1t"}, "small-1t"},
      {{"run", "-a", "glibc[mmap_treshold=1M]"}, "mmap_threshold"},
      {{"run", "-w", "churn", "--set", "thraeds=2"}, "threads"},
      {{"run", "--pass", "sped"}, "speed"},
      {{"show", "/nonexistent/results.json"}, "cannot read"},
      {{"run", "-r", "0"}, "at least one round"},
      {{"run", "-r", "memroy=1"}, "did you mean \"memory\""},
      {{"run", "--shard", "5/4"}, "the I-th of N parts"},
      {{"run", "--budget", "10x"}, "10m"},
      {{"run", "--budget", "-10m"}, "10m"},
      {{"run", "--timeout", "-3s"}, "--timeout"},
      {{"run", "--margin", "-3%"}, "--margin"},
      {{"run", "--precision", "-2%"}, "--precision"},
      {{"run", "--pressure", "90%"}, "0.9,0.7,smallest"},
      {{"run", "--swap", "fil"}, "did you mean \"file\""},
      {{"run", "-r", "-2"}, "--rounds"},
      {{"run", "--shard", "-1/-1"}, "the I-th of N parts"},
      {{"run", "--seed", "-4"}, "from 0 up, not '-4'"},
      {{"run", "--seed=-4"}, "from 0 up, not '-4'"},
      {{"run", "--first-round", "-1"}, "from 0 up, not '-1'"},
      {{"sweep", "--vary", "mmap_threshold=1M", "--seed", "-4"}, "from 0 up, not '-4'"},
      {{"run", "-w", "churn", "--set", "threads=-4"}, "threads"},
      {{"run", "-w", "tutorial", "-o", "-"}, "takes a file"},
      {{"run", "-w", "tutorial", "-o", "/tmp"}, "is a folder"},
      {{"sweep", "--vary", "mmap_threshold=1M", "-o", "-"}, "takes a file"},
      {{"merge", "/nonexistent/results.json", "-o", "-"}, "takes a file"},
      {{"sweep"}, "mmap_threshold"},
      {{"sweep", "--vary", "mmap_treshold=1M"}, "mmap_threshold"},
      {{"sweep", "-a", "floor", "--vary", "x=1"}, "no tunables"},
      {{"sweep", "--vary", "mmap_threshold=32..64K"}, "of which unit?"},
      {{"sweep", "--vary", "mmap_threshold=1K"}, "out of range"},
      {{"sweep", "--vary", "mmap_threshold=1M", "--budget", "9m", "--shard", "1/2"}, "--shard"},
      {{"merge", "/nonexistent/results.json", "-o", "/tmp/never.json"}, "cannot read"},
      {{}, "subcommand"},
  };
  for (const auto& [arguments, expected] : mistakes) {
    const Ended ended = tool(folder, arguments);
    CAPTURE(arguments, ended.out);
    CHECK(ended.exit_code == 2);
    CHECK_THAT(ended.err, Contains(expected));
  }
  CHECK(files_here() == before);  // a mistake leaves no results file
}

TEST_CASE("every exit code stands in --help") {
  const Folder folder;
  const std::string help = tool(folder, {"--help"}).out;
  const std::string codes = help.substr(help.find("exit codes:"));
  for (int code = 0; code <= heapmark::cli::kNotRecordable; ++code)
    CHECK_THAT(codes, Contains("\n  " + std::to_string(code) + "    "));
  for (const char* code : {"\n  126  ", " 127: ", "\n  130  ", " 143: "}) CHECK_THAT(codes, Contains(code));
}

TEST_CASE("output that cannot be written is a failure of each verb, and said so") {
  const Folder folder;
  const std::string file = folder.file("r.json"), heapmark = build_folder() + "/heapmark";
  REQUIRE(tool(folder, {"run", "-a", "glibc", "-w", "tutorial", "--pass", "memory", "-r", "1", "-o", file})
              .exit_code == 0);
  const std::vector<std::string> commands{
      "run -a glibc -w tutorial --pass memory -r 1 -o " + folder.file("full.json"),
      "show " + file,
      "merge " + file + " -o " + folder.file("merged.json"),
      "tutorial -a glibc",
      "list passes",
      "doctor",
      "--help",
      "--version"};
  for (const std::string& command : commands)
    for (const std::string to : {">/dev/full", ">&-"}) {
      for (const char* made : {"full.json", "merged.json"}) fs::remove(folder.file(made));
      const std::string err = folder.file("message");
      const int status = std::system((heapmark + " " + command + " " + to + " 2>" + err).c_str());
      CAPTURE(command, to, contents(err));
      CHECK(WEXITSTATUS(status) == 1);
      CHECK_THAT(contents(err), Contains("standard output cannot be written"));
    }
  // A log that cannot be written costs nothing but the log.
  CHECK(std::system((heapmark + " run -a glibc -w tutorial --pass memory -r 1 -o " + folder.file("log.json") +
                     " >/dev/null 2>/dev/full")
                        .c_str()) == 0);
  CHECK(WEXITSTATUS(std::system((heapmark + " rnu 2>/dev/full").c_str())) == 2);
}

TEST_CASE("help and version exit 0") {
  const Folder folder;
  CHECK(tool(folder, {"--help"}).exit_code == 0);
  CHECK(tool(folder, {"run", "--help"}).exit_code == 0);
  CHECK_THAT(tool(folder, {"--version"}).out, Contains("0.1.0"));
}
