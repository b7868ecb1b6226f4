#include "harness/plan/catalog.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <span>

#include "harness/plan/did_you_mean.h"
#include "harness/plan/usage_error.h"
#include "harness/plan/written_value.h"

namespace heapmark::plan {
namespace {

namespace fs = std::filesystem;

// One table of a file: reads keys with their types, and refuses keys that nobody asked for, so that a
// misspelt key is an error and not a default.
class Section {
 public:
  Section(const toml::table& table, const fs::path& file) : table_(table), file_(file) {}

  [[noreturn]] void fail(const toml::node& node, const std::string& what) const {
    throw UsageError(fmt::format("{}:{}: {}", file_.string(), node.source().begin.line, what));
  }
  [[noreturn]] void fail(const std::string& what) const { fail(table_, what); }

  // The node of a key, null where it is absent.
  const toml::node* node(std::string_view key) {
    known_.emplace_back(key);
    return table_.get(key);
  }

  template <typename T>
  T optional(std::string_view key, std::string_view type, T otherwise = {}) {
    const toml::node* const found = node(key);
    if (!found) return otherwise;
    const auto value = found->value_exact<T>();
    if (!value) fail(*found, fmt::format("{} must be a {}", key, type));
    return *value;
  }

  std::string text(std::string_view key) { return optional<std::string>(key, "string"); }
  bool flag(std::string_view key) { return optional<bool>(key, "boolean"); }

  std::string required(std::string_view key) {
    std::string value = text(key);
    if (value.empty()) fail(fmt::format("{} is missing", key));
    return value;
  }

  std::string one_of(std::string_view key, std::span<const std::string> choices,
                     const std::string& otherwise = "") {
    std::string value = otherwise.empty() ? required(key) : optional<std::string>(key, "string", otherwise);
    if (std::find(choices.begin(), choices.end(), value) == choices.end())
      fail(*table_.get(key), unknown(key, value, choices));
    return value;
  }

  // To be called when all keys have been read.
  void nothing_else() const {
    for (const auto& [key, value] : table_)
      if (std::find(known_.begin(), known_.end(), key.str()) == known_.end())
        fail(value, unknown("key", key.str(), known_));
  }

 private:
  const toml::table& table_;
  const fs::path& file_;
  std::vector<std::string> known_;
};

const std::array<std::string, 4> kTypes = {"bytes", "integer", "boolean", "number"};
const std::array<std::string, 3> kScales = {"linear", "log", "choice"};
const std::array<std::string, 2> kStyles = {"list", "variable"};
const std::array<std::string, 3> kClocks = {"none", "libc", "own"};

std::vector<std::string> read_libraries(Section& section) {
  std::vector<std::string> libraries;
  const toml::node* const node = section.node("libraries");
  if (!node) section.fail("libraries is missing");
  const toml::array* const array = node->as_array();
  if (!array || array->empty() || !array->is_homogeneous(toml::node_type::string))
    section.fail(*node, "libraries must be an array of strings with at least one");
  for (const toml::node& library : *array) libraries.push_back(*library.value<std::string>());
  return libraries;
}

std::optional<std::pair<double, double>> read_range(Section& section, std::string_view key) {
  const toml::node* const node = section.node(key);
  if (!node) return std::nullopt;
  const toml::array* const array = node->as_array();
  if (!array || array->size() != 2 || !(*array)[0].is_number() || !(*array)[1].is_number())
    section.fail(*node, fmt::format("{} must be two numbers", key));
  const std::pair range{*(*array)[0].value<double>(), *(*array)[1].value<double>()};
  if (range.first > range.second) section.fail(*node, fmt::format("{} must name the lower end first", key));
  return range;
}

Tunable read_tunable(const toml::table& table, const fs::path& file, const std::string& style) {
  Section section(table, file);
  Tunable tunable;
  tunable.name = section.required("name");
  tunable.variable = style == "variable" ? section.required("variable") : "";
  tunable.type = section.one_of("type", kTypes);
  tunable.default_value = section.required("default");
  tunable.unit = section.text("unit");
  tunable.scale = section.one_of("scale", kScales);
  tunable.range = read_range(section, "range");
  tunable.search = read_range(section, "search");
  if (tunable.search && tunable.range &&
      (tunable.search->first < tunable.range->first || tunable.search->second > tunable.range->second))
    section.fail("search must lie within range");
  tunable.mallopt = section.text("mallopt");
  tunable.own_clock = section.text("own_clock");
  tunable.help = section.required("help");
  section.nothing_else();
  // A default may be a word ("4 per core") where the allocator works it out; a figure must fit its own row.
  if (tunable.type == "boolean" || parse_number(tunable.default_value)) {
    try {
      static_cast<void>(environment_value(tunable, tunable.default_value));
    } catch (const UsageError& error) {
      section.fail(fmt::format("the default does not fit its own row: {}", error.what()));
    }
  }
  return tunable;
}

// [tunables]: how all of them are handed over; nothing where the allocator has none.
void read_style(Section& top, const fs::path& file, Allocator& allocator) {
  const toml::node* const node = top.node("tunables");
  if (!node) return;
  if (!node->is_table()) top.fail(*node, "tunables must be a table; rows are [[tunable]]");
  Section section(*node->as_table(), file);
  allocator.style = section.one_of("style", kStyles, "list");
  if (allocator.style == "list") {
    allocator.environment = section.required("environment");
    allocator.format = section.required("format");
    allocator.separator = section.required("separator");
    try {
      const std::string tried =
          fmt::format(fmt::runtime(allocator.format), fmt::arg("name", "NAME"), fmt::arg("value", "VALUE"));
      if (tried.find("NAME") == std::string::npos || tried.find("VALUE") == std::string::npos)
        section.fail("format must hold {name} and {value}");
    } catch (const fmt::format_error& error) {
      section.fail(fmt::format("format: {}", error.what()));
    }
  }
  section.nothing_else();
}

void read_tunables(Section& top, const fs::path& file, Allocator& allocator) {
  const toml::node* const node = top.node("tunable");
  if (!node) return;
  if (allocator.style.empty())
    top.fail(*node, "[[tunable]] needs a [tunables] table that says how it is passed");
  const toml::array* const rows = node->as_array();
  if (!rows || !rows->is_array_of_tables()) top.fail(*node, "tunables are written as [[tunable]]");
  for (const toml::node& row : *rows) {
    Tunable tunable = read_tunable(*row.as_table(), file, allocator.style);
    for (const Tunable& other : allocator.tunables)
      if (other.name == tunable.name)
        top.fail(row, fmt::format("tunable {} stands here twice", tunable.name));
    allocator.tunables.push_back(std::move(tunable));
  }
}

void read_known_failures(Section& top, const fs::path& file, Allocator& allocator) {
  const toml::node* const node = top.node("known_failure");
  if (!node) return;
  const toml::array* const rows = node->as_array();
  if (!rows || !rows->is_array_of_tables())
    top.fail(*node, "known failures are written as [[known_failure]]");
  for (const toml::node& row : *rows) {
    Section section(*row.as_table(), file);
    allocator.known_failures.push_back({section.required("workload"), section.required("pass"),
                                        section.required("outcome"), section.required("why")});
    section.nothing_else();
  }
}

Allocator read_allocator(const toml::table& table, const fs::path& file) {
  Section section(table, file);
  Allocator allocator;
  allocator.name = section.required("name");
  if (allocator.name != file.stem())
    section.fail(*table.get("name"),
                 fmt::format("the file of {} must be named {}.toml", allocator.name, allocator.name));
  allocator.summary = section.required("summary");
  allocator.home = section.text("home");
  allocator.libraries = read_libraries(section);
  allocator.symbol = section.text("symbol");
  allocator.package = section.text("package");
  allocator.builtin = section.flag("builtin");
  allocator.bundled = section.flag("bundled");
  if (allocator.builtin && allocator.bundled) section.fail("builtin and bundled exclude each other");
  const std::string clock = section.one_of("clock", kClocks, "libc");
  allocator.clock = clock == "none" ? ClockUse::kNone : clock == "own" ? ClockUse::kOwn : ClockUse::kLibc;
  allocator.not_for_use = section.text("not_for_use");
  // How plots draw it: scripts/plots/style.py reads these.
  for (const char* const key : {"colour", "mark", "line"}) static_cast<void>(section.text(key));
  read_style(section, file, allocator);
  read_tunables(section, file, allocator);
  read_known_failures(section, file, allocator);
  section.nothing_else();
  return allocator;
}

}  // namespace

Allocator parse_allocator(std::string_view text, const fs::path& file) {
  try {
    return read_allocator(toml::parse(text, file.string()), file);
  } catch (const toml::parse_error& wrong) {
    throw UsageError(fmt::format("{}:{}: {}", file.string(), wrong.source().begin.line, wrong.description()));
  }
}

const Allocator* find(const std::vector<Allocator>& catalog, std::string_view name) {
  for (const Allocator& allocator : catalog)
    if (allocator.name == name) return &allocator;
  return nullptr;
}

std::string names_of(const std::vector<Allocator>& catalog) {
  std::vector<std::string_view> names;
  for (const Allocator& allocator : catalog) names.emplace_back(allocator.name);
  return fmt::format("{}", fmt::join(names, ","));
}

}  // namespace heapmark::plan
