// The catalog tells users of exactly the tunables that the library has, with its names, defaults and bounds.
#include <toml++/toml.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <map>
#include <string>

namespace {

struct Row {
  std::string variable;
  double standard, least, most;
  std::string unit, help;
  bool operator==(const Row&) const = default;
};

}  // namespace

TEST_CASE("the table of tunables and the catalog's file agree") {
  const std::map<std::string, Row> table{
#define TUNABLE(name, variable, standard, least, most, unit, help) \
  {#name, {variable, standard, least, most, unit, help}},
#include "allocators/brkmmap/tunables.def"
#undef TUNABLE
  };
  const toml::table file =
      toml::parse_file(std::string(std::getenv("HEAPMARK_SOURCE_DIR")) + "/allocators/catalog/brkmmap.toml");
  std::map<std::string, Row> catalog;
  for (const toml::node& node : *file["tunable"].as_array()) {
    const toml::table& row = *node.as_table();
    const toml::array& range = *row["range"].as_array();
    catalog[*row["name"].value<std::string>()] = {*row["variable"].value<std::string>(),
                                                  std::stod(*row["default"].value<std::string>()),
                                                  *range[0].value<double>(),
                                                  *range[1].value<double>(),
                                                  row["unit"].value_or<std::string>("count"),
                                                  *row["help"].value<std::string>()};
  }
  REQUIRE(catalog.size() == table.size());
  for (const auto& [name, row] : table) {
    CAPTURE(name, row.help, catalog[name].help);
    CHECK((catalog[name] == row));
  }
}
