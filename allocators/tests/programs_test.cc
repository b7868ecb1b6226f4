// Real programs with brkmmap preloaded: what they write must be what they write without it, byte for byte.

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <random>

#include "allocators/tests/child.h"
#include "allocators/tests/same_output.h"
#include "testing/folder.h"

using namespace heapmark::tests;
namespace fs = std::filesystem;
using heapmark::testing::Folder;

namespace {

std::string some_lines(std::size_t count) {
  std::mt19937 random(1);
  std::string lines;
  for (std::size_t at = 0; at < count; ++at)
    lines += std::to_string(random()) + " " + std::to_string(random() % 97) + "\n";
  return lines;
}

}  // namespace

TEST_CASE("the preload is active in the programs that these tests run") {
  const Ended with = run({"sh", "-c", "grep -c libbrkmmap.so /proc/self/maps"}, brkmmap_library());
  CHECK(with.exit_code == 0);
}

TEST_CASE("python with threads and json writes the same under brkmmap") {
  const Folder folder;
  std::ofstream(folder.file("work.py")) << R"(
import json, threading, hashlib
results = {}
def work(number):
    data = [{"key%d" % i: list(range(i % 50)), "text": "x" * (i % 3000)} for i in range(3000)]
    for _ in range(3):
        data = json.loads(json.dumps(data))
    results[number] = hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()
threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
for t in threads: t.start()
for t in threads: t.join()
print(sorted(results.items()))
)";
  same_with_brkmmap("python3", "PYTHONMALLOC=malloc /usr/bin/python3 " + folder.file("work.py"));
}

TEST_CASE("g++ -O2 makes the same object file under brkmmap") {
  const Folder folder;
  std::ofstream source(folder.file("large.cc"));
  source << "#include <map>\n#include <regex>\n#include <string>\n#include <vector>\n";
  for (int at = 0; at < 150; ++at)
    source << "int f" << at << "(const std::vector<std::string>& v) { std::map<std::string, int> m;"
           << "for (auto& s : v) m[s] += " << at
           << "; int r = 0; for (auto& [k, n] : m) r += n * static_cast<int>(k.size()); return r; }\n";
  source << "bool matches(const std::string& s) { return std::regex_search(s, std::regex(\"a(b|c)*d\")); }\n";
  source.close();
  same_with_brkmmap(
      "g++", "cd " + folder.file("") + " && g++ -std=c++20 -O2 -c large.cc -o large.o && cksum large.o");
}

TEST_CASE("git log -p tells the same history under brkmmap") {
  const Folder folder;
  if (!is_installed("git")) {
    WARN("git is not installed: not tried");
    return;
  }
  const std::string repository = folder.file("repository");
  const Ended made =
      run({"sh", "-c",
           "export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null; git init -q " + repository +
               " && cd " + repository +
               " && for i in $(seq 40); do "
               "seq $((i * 50)) | sort -R --random-source=/dev/zero > file$((i % 5)); "
               "git add . && git -c user.name=n -c user.email=e@x commit -q -m \"step $i\"; done"},
          "");
  REQUIRE(made.exit_code == 0);
  same_with_brkmmap("git", "cd " + repository + " && git log -p --stat");
}

TEST_CASE("perl, sort, xz and node write the same under brkmmap") {
  const Folder folder;
  std::ofstream(folder.file("lines")) << some_lines(300'000);
  const std::string lines = folder.file("lines");
  same_with_brkmmap("perl",
                    "perl -ne '$n{$_ % 1000} .= $_; END { print map { \"$_ \" . length($n{$_}) . \"\\n\" } "
                    "sort keys %n }' " +
                        lines);
  same_with_brkmmap("sort", "sort --parallel=4 -S 64M " + lines);
  same_with_brkmmap("xz", "xz -T4 -2 --block-size=1MiB -c " + lines);
  same_with_brkmmap(
      "node",
      "node -e 'const m = new Map(); for (let i = 0; i < 300000; ++i) m.set(\"k\" + i % 5000, "
      "\"v\".repeat(i % 700)); let s = 0; for (const [k, v] of m) s += k.length + v.length; console.log(s, "
      "JSON.stringify([...m].slice(0, 300)).length)'");
}
