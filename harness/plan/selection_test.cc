// What the user writes after -a, against a made-up catalog and scripted libraries.
#include "harness/plan/selection.h"

#include <catch2/catch.hpp>

#include "harness/plan/usage_error.h"

using namespace heapmark;
using namespace heapmark::plan;
using Catch::Contains;

namespace {

Tunable bytes_tunable(const std::string& name) {
  Tunable row;
  row.name = name;
  row.type = "bytes";
  row.unit = "bytes";
  row.default_value = "131072";
  row.range = {0, 1 << 30};
  return row;
}

std::vector<Allocator> made_up_catalog() {
  Allocator system, floor, listed, apart;
  system.name = "glibc";
  system.libraries = {"libc.so.6"};
  system.builtin = true;
  system.style = "list";
  system.environment = "GLIBC_TUNABLES";
  system.format = "glibc.malloc.{name}={value}";
  system.separator = ":";
  system.tunables = {bytes_tunable("mmap_threshold"), bytes_tunable("trim_threshold")};
  floor.name = "floor";
  floor.libraries = {"libfloor.so"};
  floor.bundled = true;
  floor.not_for_use = "gives nothing back";
  listed.name = "listed";
  listed.libraries = {"liblisted.so.2"};
  listed.package = "liblisted2";
  apart.name = "apart";
  apart.libraries = {"libapart.so"};
  apart.package = "libapart1";
  apart.style = "variable";
  apart.tunables = {bytes_tunable("cache"), bytes_tunable("limit")};
  apart.tunables[0].variable = "APART_CACHE";
  apart.tunables[1].variable = "APART_LIMIT";
  return {apart, floor, system, listed};
}

// Everything is installed but "listed"; of the files that users name, those in /given are libraries.
class ScriptedLibraries : public Libraries {
 public:
  explicit ScriptedLibraries(std::string folder = "/made/up/") : folder_(std::move(folder)) {}
  std::string find(const Allocator& allocator) const override {
    return allocator.name == "listed" ? "" : folder_ + allocator.libraries[0];
  }
  std::string given(const std::string& path) const override {
    if (!path.starts_with("/given/")) throw UsageError(path + ": not a shared library of this machine");
    return "/real" + path;
  }
  std::string preloadable(const std::string& file) const override {
    return file.find(' ') == std::string::npos ? file : "/link/to" + file.substr(file.rfind('/'));
  }
  std::string build_id(const std::string& file) const override { return "id of " + file; }
  std::map<std::string, std::string> versions(const std::vector<std::string>& files) const override {
    std::map<std::string, std::string> all;
    for (const std::string& file : files)
      if (file.starts_with(folder_)) all[file] = "1.2";
    return all;
  }

 private:
  std::string folder_;
};

std::vector<Selection> chosen(std::string_view list) {
  return select(list, made_up_catalog(), ScriptedLibraries(), "/made/up/noop.so");
}

}  // namespace

TEST_CASE("commas inside brackets belong to the tunables") {
  const auto selections = chosen("glibc[mmap_threshold=128K,trim_threshold=1M],apart");
  REQUIRE(selections.size() == 2);
  CHECK(selections[0].label == "glibc[mmap_threshold=128K,trim_threshold=1M]");
  CHECK(selections[0].tunables == trial::Pairs{{"mmap_threshold", "128K"}, {"trim_threshold", "1M"}});
  CHECK(selections[1].label == "apart");
  CHECK(selections[1].tunables.empty());
}

TEST_CASE("tunables become the environment that the allocator reads") {
  CHECK(environment_of(chosen("glibc[mmap_threshold=128K,trim_threshold=1M]")[0]) ==
        trial::Pairs{
            {"GLIBC_TUNABLES", "glibc.malloc.mmap_threshold=131072:glibc.malloc.trim_threshold=1048576"}});
  CHECK(environment_of(chosen("apart[limit=2K,cache=1]")[0]) ==
        trial::Pairs{{"APART_LIMIT", "2048"}, {"APART_CACHE", "1"}});
  CHECK(environment_of(chosen("glibc")[0]).empty());
}

TEST_CASE("the C library's malloc is preloaded with the no-op library, others with themselves") {
  const auto selections = chosen("glibc,apart");
  CHECK(selections[0].preload == "/made/up/noop.so");
  CHECK(selections[0].library == "/made/up/libc.so.6");
  CHECK(selections[1].preload == "/made/up/libapart.so");
  CHECK(selections[1].library == selections[1].preload);
}

TEST_CASE("an allocator that is not installed is skipped with the package that brings it") {
  const auto selections = chosen("listed,glibc");
  REQUIRE(selections.size() == 2);
  CHECK(selections[0].skipped == "liblisted.so.2 is not installed: apt-get install liblisted2");
  CHECK(selections[0].library.empty());
  CHECK(selections[0].preload.empty());
  CHECK(selections[1].skipped.empty());
}

TEST_CASE("a selection carries the version and the build id of its library") {
  const auto selections = chosen("glibc,mine=/given/lib.so");
  CHECK(selections[0].version == "1.2");
  CHECK(selections[0].build_id == "id of /made/up/libc.so.6");
  CHECK(selections[1].version.empty());
  CHECK(selections[1].build_id == "id of /real/given/lib.so");
}

TEST_CASE("all stands for every allocator that is for use") {
  std::vector<std::string> labels;
  for (const Selection& selection : chosen("all")) labels.push_back(selection.label);
  CHECK(labels == std::vector<std::string>{"glibc", "apart", "listed"});
  CHECK(chosen("all,floor").size() == 4);
}

TEST_CASE("the same selection again is an A/A run with a label of its own") {
  const auto selections = chosen("glibc,glibc,apart,glibc[mmap_threshold=1M],glibc");
  REQUIRE(selections.size() == 5);
  CHECK(selections[0].label == "glibc");
  CHECK(selections[1].label == "glibc#2");
  CHECK(selections[3].label == "glibc[mmap_threshold=1M]");
  CHECK(selections[4].label == "glibc#3");
  CHECK(selections[1].preload == selections[0].preload);
}

TEST_CASE("another build of a known allocator has a name of its own and takes its tunables") {
  const auto catalog = made_up_catalog();
  const ScriptedLibraries libraries;
  const auto chosen = select("new:apart=/given/lib.so[cache=4K]", catalog, libraries, "/noop.so");
  REQUIRE(chosen.size() == 1);
  CHECK(chosen[0].label == "new[cache=4K]");
  CHECK(chosen[0].library == "/real/given/lib.so");
  CHECK(chosen[0].given_by_path);
  CHECK(environment_of(chosen[0]) == trial::Pairs{{"APART_CACHE", "4096"}});
  CHECK_THROWS_WITH(select("new:aprat=/given/lib.so", catalog, libraries, "/noop.so"), Contains("apart"));
  CHECK_THROWS_WITH(select("new:glibc=/given/lib.so", catalog, libraries, "/noop.so"), Contains("C library"));
  CHECK_THROWS_WITH(select("new:apart", catalog, libraries, "/noop.so"), Contains("NAME:ALLOCATOR=/path"));
}

TEST_CASE("a library is known by the symbol that its allocator alone exports") {
  class Exporting : public ScriptedLibraries {
   public:
    bool exports(const std::string& file, const std::string& symbol) const override {
      return file == "/real/given/apart-2.so" && symbol == "apart_symbol";
    }
  };
  auto catalog = made_up_catalog();
  for (Allocator& one : catalog)
    if (one.name == "apart") one.symbol = "apart_symbol";
  const auto chosen = select("new=/given/apart-2.so[limit=1M]", catalog, Exporting(), "/noop.so");
  CHECK(environment_of(chosen[0]) == trial::Pairs{{"APART_LIMIT", "1048576"}});
  CHECK(chosen[0].allocator.summary == "given by its path, a build of apart");
  CHECK_THROWS_AS(select("new=/given/other.so[limit=1M]", catalog, Exporting(), "/noop.so"), UsageError);
}

TEST_CASE("a library given by its path needs no catalog row") {
  const auto selections = chosen("mine=/given/lib.so");
  REQUIRE(selections.size() == 1);
  CHECK(selections[0].label == "mine");
  CHECK(selections[0].preload == "/real/given/lib.so");
  CHECK(selections[0].library == selections[0].preload);
  CHECK_THROWS_WITH(chosen("mine=/given/lib.so[x=1]"), Contains("unknown tunable of mine"));
}

TEST_CASE("another build of a known allocator takes its tunables") {
  const auto selections = chosen("apart=/given/lib.so[cache=1K]");
  REQUIRE(selections.size() == 1);
  CHECK(selections[0].label == "apart[cache=1K]");
  CHECK(selections[0].library == "/real/given/lib.so");
  CHECK(environment_of(selections[0]) == trial::Pairs{{"APART_CACHE", "1024"}});
}

TEST_CASE("a list that cannot be meant is refused with what is wrong") {
  CHECK_THROWS_WITH(chosen("glibcc"), Contains("did you mean \"glibc\""));
  CHECK_THROWS_WITH(chosen("glibc[mmap_treshold=1]"), Contains("did you mean \"mmap_threshold\""));
  CHECK_THROWS_WITH(chosen("glibc[mmap_threshold=2G]"), Contains("out of range"));
  CHECK_THROWS_WITH(chosen("glibc[mmap_threshold=big]"), Contains("a number of bytes is wanted"));
  CHECK_THROWS_WITH(chosen("glibc[mmap_threshold=1,mmap_threshold=2]"), Contains("given twice"));
  CHECK_THROWS_WITH(chosen("glibc[mmap_threshold=1"), Contains("']' is missing"));
  CHECK_THROWS_WITH(chosen("glibc]"), Contains("do not match"));
  CHECK_THROWS_WITH(chosen("glibc[[mmap_threshold=1]]"), Contains("do not match"));
  CHECK_THROWS_WITH(chosen("glibc[mmap_threshold=1]x"), Contains("nothing may follow"));
  CHECK_THROWS_WITH(chosen("glibc[mmap_threshold]"), Contains("[name=value,...]"));
  CHECK_THROWS_WITH(chosen("glibc[]"), Contains("[name=value,...]"));
  CHECK_THROWS_WITH(chosen("glibc,"), Contains("empty name"));
  CHECK_THROWS_WITH(chosen(""), Contains("empty name"));
  CHECK_THROWS_WITH(chosen("a b=/x"), Contains("no space"));
  CHECK_THROWS_WITH(chosen("=/x"), Contains("name is missing"));
  CHECK_THROWS_WITH(chosen("mine="), Contains("path is missing"));
  CHECK_THROWS_WITH(chosen("mine=/etc/passwd"), Contains("not a shared library"));
  CHECK_THROWS_WITH(chosen("glibc=/given/lib.so"), Contains("cannot be given as a file"));
}

TEST_CASE("a library in a folder that LD_PRELOAD cannot name is preloaded by a link, and stays what it is") {
  const auto selections =
      select("apart,glibc", made_up_catalog(), ScriptedLibraries("/made up/"), "/made up/noop.so");
  CHECK(selections[0].library == "/made up/libapart.so");
  CHECK(selections[0].preload == "/link/to/libapart.so");
  CHECK(selections[1].library == "/made up/libc.so.6");
  CHECK(selections[1].preload == "/link/to/noop.so");
}

TEST_CASE("an allocator keeps time itself where its file says so, or with a tunable that makes it do so") {
  Selection selection;
  CHECK_FALSE(keeps_time_itself(selection));
  selection.allocator.clock = ClockUse::kOwn;
  CHECK(keeps_time_itself(selection));
  selection.allocator.clock = ClockUse::kLibc;
  Tunable thread;
  thread.name = "background_thread";
  thread.type = "boolean";
  thread.default_value = "false";
  thread.own_clock = "true";
  selection.allocator.tunables = {thread};
  selection.tunables = {{"background_thread", "no"}};
  CHECK_FALSE(keeps_time_itself(selection));
  selection.tunables = {{"background_thread", "on"}};
  CHECK(keeps_time_itself(selection));
}
