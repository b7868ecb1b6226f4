// Catalog files: what is read, and that a mistake is told with file and line.
#include "harness/plan/catalog.h"

#include <catch2/catch.hpp>

#include "harness/plan/usage_error.h"

using namespace heapmark;
using Catch::Contains;

namespace {

constexpr const char* kHead = R"(name = "mine"
summary = "one of ours"
libraries = ["libmine.so.1", "libmine*.so"]
)";

constexpr const char* kList = R"([tunables]
style = "list"
environment = "MINE_CONF"
format = "{name}:{value}"
separator = ","
)";

constexpr const char* kRow = R"([[tunable]]
name = "decay"
type = "integer"
default = "10"
unit = "ms"
range = [-1, 600]
scale = "log"
help = "time until unused pages go"
)";

std::string mistake_in(const std::string& text) {
  try {
    static_cast<void>(plan::parse_allocator(text, "catalog/mine.toml"));
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a catalog file gives an allocator with its tunables") {
  const plan::Allocator mine = plan::parse_allocator(
      std::string(kHead) + "package = \"libmine1\"\n" + kList + kRow, "catalog/mine.toml");
  CHECK(mine.name == "mine");
  CHECK(mine.summary == "one of ours");
  CHECK(mine.libraries == std::vector<std::string>{"libmine.so.1", "libmine*.so"});
  CHECK(mine.package == "libmine1");
  CHECK_FALSE(mine.builtin);
  CHECK_FALSE(mine.bundled);
  CHECK(mine.style == "list");
  CHECK(mine.environment == "MINE_CONF");
  CHECK(mine.format == "{name}:{value}");
  CHECK(mine.separator == ",");
  REQUIRE(mine.tunables.size() == 1);
  const plan::Tunable& decay = mine.tunables[0];
  CHECK(decay.name == "decay");
  CHECK(decay.type == "integer");
  CHECK(decay.default_value == "10");
  CHECK(decay.unit == "ms");
  CHECK(decay.scale == "log");
  CHECK(decay.range == std::pair{-1.0, 600.0});
}

TEST_CASE("style variable wants a variable in each row") {
  const std::string text = std::string(kHead) + "[tunables]\nstyle = \"variable\"\n" + kRow;
  CHECK_THAT(mistake_in(text), Contains("mine.toml:6: variable is missing"));
  CHECK(mistake_in(text + "variable = \"MINE_DECAY\"\n").empty());
}

TEST_CASE("a mistake in a catalog file is told with file and line") {
  const std::string head = kHead, list = kList, row = kRow;
  const auto with = [](std::string text, const std::string& from, const std::string& to) {
    const std::size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
  };
  CHECK(mistake_in(head).empty());
  CHECK_THAT(mistake_in(head + "pakage = \"x\"\n"),
             Contains("mine.toml:4: unknown key \"pakage\"") && Contains("did you mean \"package\"?"));
  CHECK_THAT(mistake_in(head + "builtin = 1\n"), Contains("mine.toml:4: builtin must be a boolean"));
  CHECK_THAT(mistake_in(head + "builtin = true\nbundled = true\n"), Contains("exclude each other"));
  CHECK_THAT(mistake_in(head + "broken\n"), Contains("mine.toml:4:"));
  CHECK_THAT(mistake_in(with(head, "summary", "#")), Contains("mine.toml:1: summary is missing"));
  CHECK_THAT(mistake_in(with(head, "\"mine\"", "\"yours\"")),
             Contains("mine.toml:1:") && Contains("yours.toml"));
  CHECK_THAT(mistake_in(with(head, "\"libmine.so.1\"", "3")), Contains("mine.toml:3: libraries must be"));
  CHECK_THAT(mistake_in(head + row), Contains("mine.toml:4: [[tunable]] needs a [tunables] table"));
  CHECK_THAT(mistake_in(head + list + with(row, "integer", "int")), Contains("mine.toml:11: unknown type"));
  CHECK_THAT(mistake_in(head + list + with(row, "[-1, 600]", "[600, -1]")), Contains("lower end first"));
  CHECK_THAT(mistake_in(head + list + with(row, "[-1, 600]", "[1]")), Contains("range must be two numbers"));
  CHECK_THAT(mistake_in(head + list + with(row, "\"10\"", "\"700\"")), Contains("does not fit its own row"));
  CHECK_THAT(mistake_in(head + list + with(row, "\"10\"", "10")), Contains("default must be a string"));
  CHECK_THAT(mistake_in(head + list + row + row), Contains("mine.toml:17: tunable decay stands here twice"));
  CHECK_THAT(mistake_in(head + with(list, "{value}", "{wert}") + row), Contains("mine.toml:4: format"));
  CHECK_THAT(mistake_in(head + with(list, "{value}", "") + row), Contains("format must hold"));
}

TEST_CASE("a default may be a word where the allocator works it out") {
  const std::string text = std::string(kHead) + kList + kRow;
  std::string worked_out = text;
  worked_out.replace(text.find("\"10\""), 4, "\"4 a core\"");
  CHECK(mistake_in(worked_out).empty());
}
