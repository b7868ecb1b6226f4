// The catalog that heapmark comes with: every file can be read, and every allocator can be asked for. And how
// what is known on this machine is read.
#include <catch2/catch.hpp>
#include <fstream>

#include "harness/cli/known.h"
#include "testing/folder.h"
#include "testing/selected.h"

using namespace heapmark::plan;
using heapmark::cli::MachineLibraries;
using heapmark::testing::real_catalog;

TEST_CASE("the catalog knows the reference allocators, and where each comes from") {
  const auto catalog = real_catalog();
  for (const char* name :
       {"brkmmap", "floor", "glibc", "jemalloc", "mimalloc", "scudo", "tbbmalloc", "tcmalloc"}) {
    CAPTURE(name);
    const Allocator* const allocator = find(catalog, name);
    REQUIRE(allocator);
    CHECK((allocator->builtin || allocator->bundled || !allocator->package.empty()));
    CHECK((std::string(name) == "floor") == !allocator->not_for_use.empty());
  }
}

TEST_CASE("every tunable of the catalog can be handed over to its allocator") {
  for (const Allocator& allocator : real_catalog())
    for (const Tunable& tunable : allocator.tunables) {
      CAPTURE(allocator.name, tunable.name);
      Selection selection;
      selection.allocator = allocator;
      selection.tunables = {{tunable.name, tunable.type == "boolean" ? "on" : "1"}};
      if (tunable.range)
        selection.tunables[0].second = std::to_string(static_cast<long long>(tunable.range->second));
      const auto environment = environment_of(selection);
      REQUIRE(environment.size() == 1);
      CHECK_FALSE(environment[0].first.empty());
    }
}

TEST_CASE("every allocator found here is one file with a version or a build id, others say what to install") {
  const auto catalog = real_catalog();
  const auto selections =
      select(names_of(catalog), catalog, MachineLibraries("/nowhere"), "/nowhere/noop.so");
  REQUIRE(selections.size() == catalog.size());
  for (const Selection& selection : selections) {
    CAPTURE(selection.label, selection.library, selection.skipped);
    CHECK(selection.library.empty() != selection.skipped.empty());
    if (selection.skipped.empty()) CHECK_FALSE((selection.version.empty() && selection.build_id.empty()));
    if (selection.allocator.bundled) CHECK_FALSE(selection.skipped.empty());  // nothing is built in /nowhere
  }
}

TEST_CASE("a catalog directory that is absent or empty is a usage error") {
  const heapmark::testing::Folder folder;
  CHECK_THROWS_WITH(heapmark::cli::load_catalog(folder.file("none")), Catch::Contains("No such file"));
  CHECK_THROWS_WITH(heapmark::cli::load_catalog(folder.path()), Catch::Contains("no *.toml"));
}

TEST_CASE("allocators come in the order of their names, other files are passed over") {
  const heapmark::testing::Folder folder;
  for (const std::string name : {"zeta", "alpha", "mid"})
    std::ofstream(folder.file(name + ".toml"))
        << "name = \"" << name << "\"\nsummary = \"s\"\nlibraries = [\"l\"]\n";
  std::ofstream(folder.file("notes.txt")) << "not a catalog file";
  const auto catalog = heapmark::cli::load_catalog(folder.path());
  CHECK(names_of(catalog) == "alpha,mid,zeta");
  CHECK(find(catalog, "mid") == &catalog[1]);
  CHECK(find(catalog, "none") == nullptr);
}

TEST_CASE("a host that cannot be run or that fails is named") {
  CHECK_THROWS_WITH(heapmark::cli::ask_workloads("/no/such/heapmark-host"),
                    Catch::Contains("/no/such/heapmark-host cannot be run"));
  CHECK_THROWS_WITH(heapmark::cli::ask_workloads("false"), Catch::Contains("ended with status 1"));
}

TEST_CASE("a library given by its path is made absolute, or refused with the reason") {
  const MachineLibraries libraries("/nowhere");
  CHECK_THROWS_WITH(libraries.given("/no/such/lib.so"), Catch::Contains("No such file"));
  CHECK_THROWS_WITH(libraries.given("/etc/passwd"), Catch::Contains("not a shared library"));
  CHECK(libraries.given("/proc/self/exe").find("catalog_files_test") != std::string::npos);
}
