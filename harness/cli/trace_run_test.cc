// `-w trace:FILE` as users give it: what is no trace is refused before anything runs, and results of two
// traces that bear one name do not mix.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "harness/trial/tests/synthetic_trace.h"
#include "testing/tool.h"

using namespace heapmark;
using namespace heapmark::testing;
using Catch::Contains;

namespace {

void write(const std::string& file, std::uint64_t seed) {
  SyntheticTrace wanted;
  wanted.seed = seed;
  wanted.events = 3000;
  write_synthetic_trace(file, wanted);
}

Ended run(const Folder& folder, const std::string& file, const std::string& output) {
  return tool(folder, {"run", "-a", "glibc,brkmmap", "-w", "trace:" + file, "--pass", "memory", "-r",
                       "memory=1", "-o", output});
}

}  // namespace

TEST_CASE("a file that is no whole trace is refused before anything runs") {
  const Folder folder;
  const std::string file = folder.file("app.hmtrace"), output = folder.file("out.json");
  write(file, 1);
  const std::string whole = contents(file);
  const auto refused = [&](const std::string& bytes, int code) {
    std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
    const Ended ended = run(folder, file, output);
    CHECK(ended.exit_code == code);
    CHECK(!std::filesystem::exists(output));
    CHECK_THAT(ended.err, Contains("app.hmtrace"));
    return ended.err;
  };
  CHECK_THAT(refused(whole.substr(0, whole.size() - 10), 7), Contains("truncated"));
  CHECK_THAT(refused("", 7), Contains("empty"));
  CHECK_THAT(refused("text", 7), Contains("no heapmark trace"));
  std::string other = whole;
  other[12] = 99;
  CHECK_THAT(refused(other, 7), Contains("another version"));
  trace::TraceWriter(file, {}).finish(trace::End::kExit, {});
  CHECK_THAT(refused(contents(file), 7), Contains("no events"));
  std::filesystem::remove(file);
  CHECK(run(folder, file, output).exit_code == 2);
}

TEST_CASE("results of two traces of one name are neither gone on with nor merged") {
  const Folder folder;
  const std::string file = folder.file("app.hmtrace"), first = folder.file("1.json"),
                    second = folder.file("2.json");
  write(file, 1);
  const Ended ran = run(folder, file, first);
  REQUIRE(ran.exit_code == 0);
  CHECK_THAT(contents(first), Contains("\"recorded_events\"") && Contains("\"checksum\""));
  CHECK(tool(folder, {"run", "--resume", first, "-r", "memory=1"}).exit_code == 0);
  CHECK_THAT(tool(folder, {"show", first}).out, Contains("replay / app"));
  write(file, 2);
  const Ended resumed = tool(folder, {"run", "--resume", first});
  CHECK(resumed.exit_code == 2);
  CHECK_THAT(resumed.err, Contains("another one"));
  REQUIRE(run(folder, file, second).exit_code == 0);
  const Ended merged = tool(folder, {"merge", first, second, "-o", folder.file("all.json")});
  CHECK(merged.exit_code == 2);
  CHECK_THAT(merged.err, Contains("not the same trace"));
}

TEST_CASE("a sweep takes a trace") {
  const Folder folder;
  const std::string file = folder.file("app.hmtrace");
  write(file, 1);
  const Ended ended = tool(folder, {"sweep", "-a", "glibc", "-w", "trace:" + file, "--vary", "top_pad=64K,1M",
                                    "--pass", "memory", "-r", "memory=1", "-o", folder.file("sweep.json")});
  CAPTURE(ended.err);
  CHECK(ended.exit_code == 0);
  CHECK_THAT(contents(folder.file("sweep.json")), Contains("\"recorded_events\""));
}
