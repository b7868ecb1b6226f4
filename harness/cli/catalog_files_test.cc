// The catalog that heapmark comes with: every file can be read, and every allocator can be asked for.
#include <catch2/catch.hpp>
#include <cstdlib>

#include "harness/cli/known.h"

using namespace heapmark::plan;
using heapmark::cli::MachineLibraries;

namespace {

std::vector<Allocator> real_catalog() {
  return heapmark::cli::load_catalog(std::string(std::getenv("HEAPMARK_SOURCE_DIR")) + "/allocators/catalog");
}

}  // namespace

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
