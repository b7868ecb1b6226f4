// `heapmark trace` as its user meets it: what it prints, exit codes, messages, what it writes.
#include <catch2/catch.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "harness/trace/example_trace.h"
#include "harness/trace/trace_reading.h"
#include "testing/tool.h"

using Catch::Contains;
using json = nlohmann::json;
namespace fs = std::filesystem;
using namespace heapmark::testing;

namespace {

constexpr int kUsage = 2, kBadTrace = 7;
constexpr const char* kLog =
    "186: malloc 0x1000 48\n187: malloc 0x2000 100\n186: free 0x2000\n186: free 0x9000\n";

struct Example {
  Folder folder;
  std::string file = folder.file("app.hmtrace");
  Example() { heapmark::trace::write_example(file); }
  [[nodiscard]] Ended trace(std::vector<std::string> words) const {
    words.insert(words.begin(), "trace");
    return tool(folder, words);
  }
};

std::string cut_short(const std::string& from, const std::string& to) {
  fs::copy_file(from, to);
  fs::resize_file(to, fs::file_size(to) / 2);
  return to;
}

TEST_CASE("a trace is shown as text, CSV and JSON, with the command that replays it") {
  const Example example;
  const Ended text = example.trace({example.file});
  CHECK(text.exit_code == 0);
  CHECK(text.err.empty());
  CHECK_THAT(text.out,
             Contains("Live memory") &&
                 Contains("Replay it on every allocator: heapmark run -w trace:" + example.file + " -a all"));
  const Ended as_json = example.trace({example.file, "--format", "json"});
  CHECK(json::parse(as_json.out).at("file") == example.file);
  const Ended both = example.trace({example.file, example.file, "--format", "json"});
  CHECK(json::parse(both.out).size() == 2);
  const Ended csv = example.trace({example.file, "--format", "csv"});
  CHECK_THAT(csv.out, Catch::StartsWith("file,table,key,metric,value\r\n"));
}

TEST_CASE("what is wrong with a file is said, with exit code 7, and the others are shown") {
  const Example example;
  const std::string half = cut_short(example.file, example.folder.file("half"));
  const Ended truncated = example.trace({half});
  CHECK(truncated.exit_code == kBadTrace);
  CHECK(truncated.out.empty());
  CHECK_THAT(truncated.err, Contains(half + ": the file is truncated"));

  example.folder.write("script", "#!/bin/sh\n");
  example.folder.write("empty", "");
  example.folder.write("log", kLog);
  CHECK_THAT(example.trace({example.folder.file("script")}).err, Contains("the file is no heapmark trace"));
  CHECK_THAT(example.trace({example.folder.file("empty")}).err, Contains("the file is empty"));
  CHECK_THAT(example.trace({example.folder.file("log")}).err,
             Contains("it looks like memory_replay: heapmark trace import "));
  CHECK_THAT(example.trace({example.folder.path()}).err, Contains("it is a folder"));
  const Ended missing = example.trace({"/nowhere/t"});
  CHECK(missing.exit_code == kUsage);
  CHECK_THAT(missing.err, Contains("cannot read /nowhere/t: No such file"));

  const Ended some = example.trace({half, example.file, "--format", "json"});
  CHECK(some.exit_code == kBadTrace);
  CHECK(json::parse(some.out).size() == 1);
  const Ended none = example.trace({half, half, "--format", "json"});
  CHECK(json::parse(none.out).empty());
}

TEST_CASE("--check says whether a trace is whole and right") {
  const Example example;
  const Ended right = example.trace({"--check", example.file});
  CHECK(right.exit_code == 0);
  CHECK_THAT(right.out, Contains(example.file + ": whole and right: 10,258 events, 4 threads"));
  const Ended wrong = example.trace({"--check", cut_short(example.file, example.folder.file("half"))});
  CHECK(wrong.exit_code == kBadTrace);
}

TEST_CASE("--cut writes a part that is a trace, and says why a range is none") {
  const Example example;
  const std::string part = example.folder.file("part.hmtrace");
  const Ended done = example.trace({"--cut", "0.5ms..1ms", example.file, "-o", part});
  CHECK(done.exit_code == 0);
  CHECK_THAT(done.out, Contains("Next: heapmark trace " + part));
  CHECK(example.trace({"--check", part}).exit_code == 0);
  CHECK(heapmark::trace::TraceReading(part).text("cut") == "0.5ms..1ms");
  CHECK(heapmark::trace::TraceReading(part).header().duration_ticks <= 5000);

  const auto wrong = [&](const std::string& range, const std::string& says) {
    const Ended ended = example.trace({"--cut", range, example.file, "-o", example.folder.file("none")});
    INFO(range);
    CHECK(ended.exit_code == kUsage);
    CHECK_THAT(ended.err, Contains(says));
    CHECK(!fs::exists(example.folder.file("none")));
    CHECK(!fs::exists(example.folder.file("none.part")));
  };
  wrong("1ms", "it is no range");
  wrong("1..2", "'1' is no time");
  wrong("10s..", "it begins after the end; the trace lasts 1.5");
  wrong("1ms..0.5ms", "it ends before it begins");
  CHECK_THAT(example.trace({"--cut", "..1ms", example.file}).err, Contains("need -o FILE"));
  CHECK_THAT(example.trace({"--cut", "..1ms", example.file, "-o", example.file}).err,
             Contains("name another file"));
  CHECK(example.trace({"--check", example.file}).exit_code == 0);
}

TEST_CASE("a part of a damaged trace is not left behind, and what was there stays") {
  const Example example;
  std::string bytes = contents(example.file);
  bytes[bytes.size() / 2] ^= 1;
  const std::string damaged = example.folder.file("damaged"), part = example.folder.file("part");
  example.folder.write("damaged", bytes);
  example.folder.write("part", "what was there");
  const Ended ended = example.trace({"--cut", "0s..", damaged, "-o", part});
  CHECK(ended.exit_code == kBadTrace);
  CHECK_THAT(ended.err, Contains("damaged: segment "));
  CHECK(contents(part) == "what was there");
  CHECK(!fs::exists(part + ".part"));
}

TEST_CASE("import makes a trace of a log, and says which line it cannot read") {
  const Example example;
  const Folder& folder = example.folder;
  folder.write("log", kLog);
  const std::string out = folder.file("out.hmtrace");
  const Ended done = example.trace({"import", folder.file("log"), "-o", out});
  CHECK(done.exit_code == 0);
  CHECK_THAT(done.out, Contains("4 events of 2 threads") && Contains("left out: 1 free of addresses"));
  CHECK(example.trace({"--check", out}).exit_code == 0);
  CHECK_THAT(example.trace({out}).out, Contains("imported from ") && Contains("in an unknown time"));
  CHECK(example.trace({"--cut", "1..", out, "-o", folder.file("part")}).exit_code == 0);

  folder.write("mtrace", "= Start\n@ ./a:[0x1] + 0x1 0x2\n= End\n");
  CHECK(example.trace({"import", folder.file("mtrace"), "-o", out}).exit_code == 0);
  folder.write("broken", std::string(kLog) + "186: mallok 0x1 2\n");
  const Ended broken = example.trace({"import", folder.file("broken"), "-o", folder.file("none")});
  CHECK(broken.exit_code == kBadTrace);
  CHECK_THAT(broken.err, Contains("broken:5: memory_replay: 'mallok' is none of"));
  CHECK(!fs::exists(folder.file("none")));
  folder.write("script", "#!/bin/sh\n");
  CHECK_THAT(example.trace({"import", folder.file("script"), "-o", out}).err,
             Contains("none of the known formats"));
  CHECK_THAT(example.trace({"import", folder.file("log"), "-o", out, "--from", "mtrce"}).err,
             Contains("mtrace"));
  CHECK_THAT(example.trace({"import", example.file, "-o", out}).err, Contains("a heapmark trace already"));
  CHECK_THAT(example.trace({"import", folder.file("log")}).err, Contains("need -o FILE"));
}

TEST_CASE("flags that do not belong together are usage errors") {
  const Example example;
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{},
                                             {example.file, "--format", "jsn"},
                                             {example.file, "-o", "x"},
                                             {example.file, "--from", "mtrace"},
                                             {"import", example.file, "--check", "-o", "x"},
                                             {example.file, example.file, "--cut", "0s..", "-o", "x"},
                                             {example.file, "--cut", "0s..", "-o", "-"}}) {
    const Ended ended = example.trace(words);
    INFO(ended.err);
    CHECK(ended.exit_code == kUsage);
  }
}

}  // namespace
