#include "harness/plan/selection.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "harness/plan/did_you_mean.h"
#include "harness/plan/usage_error.h"
#include "harness/plan/written_value.h"

namespace heapmark::plan {
namespace {

// One item of the list, taken apart: name, "=path" and "[tunables]" as far as they are there.
struct Item {
  std::string name, path;
  trial::Pairs tunables;
};

}  // namespace

std::vector<std::string> split(std::string_view list) {
  std::vector<std::string> parts(1);
  int depth = 0;
  for (const char c : list) {
    if (c == '[') ++depth;
    if (c == ']') --depth;
    if (depth < 0 || depth > 1) throw UsageError(fmt::format("\"{}\": brackets do not match", list));
    if (c == ',' && depth == 0)
      parts.emplace_back();
    else
      parts.back() += c;
  }
  if (depth != 0) throw UsageError(fmt::format("\"{}\": a ']' is missing", list));
  return parts;
}

namespace {

Item parse_item(const std::string& written) {
  Item item;
  std::string head = written;
  if (const std::size_t open = written.find('['); open != std::string::npos) {
    if (written.back() != ']') throw UsageError(fmt::format("\"{}\": nothing may follow the ']'", written));
    head = written.substr(0, open);
    for (const std::string& pair : split(written.substr(open + 1, written.size() - open - 2))) {
      const std::size_t equals = pair.find('=');
      if (equals == std::string::npos || equals == 0 || equals + 1 == pair.size())
        throw UsageError(fmt::format("\"{}\": tunables are written [name=value,...]", written));
      item.tunables.emplace_back(pair.substr(0, equals), pair.substr(equals + 1));
    }
  }
  const std::size_t equals = head.find('=');
  item.name = head.substr(0, equals);
  if (equals != std::string::npos) {
    item.path = head.substr(equals + 1);
    if (item.path.empty()) throw UsageError(fmt::format("\"{}\": a path is missing after '='", written));
  }
  if (item.name.empty())
    throw UsageError(written.empty() ? "the list of allocators holds an empty name"
                                     : fmt::format("\"{}\": the allocator's name is missing", written));
  // '#' tells apart the same allocator measured twice (below).
  if (item.name.find_first_of("# \t/") != std::string::npos)
    throw UsageError(fmt::format("\"{}\": a name holds no space, '/' or '#'", written));
  return item;
}

std::string label_of(const Item& item) {
  if (item.tunables.empty()) return item.name;
  std::vector<std::string> pairs;
  for (const auto& [name, value] : item.tunables) pairs.push_back(name + "=" + value);
  return fmt::format("{}[{}]", item.name, fmt::join(pairs, ","));
}

const Tunable& tunable_of(const Allocator& allocator, const std::string& name) {
  std::vector<std::string> names;
  for (const Tunable& tunable : allocator.tunables) {
    if (tunable.name == name) return tunable;
    names.push_back(tunable.name);
  }
  throw UsageError(unknown("tunable of " + allocator.name, name, names));
}

void check_tunables(const Allocator& allocator, const trial::Pairs& tunables) {
  for (auto pair = tunables.begin(); pair != tunables.end(); ++pair) {
    const Tunable& tunable = tunable_of(allocator, pair->first);
    try {
      static_cast<void>(environment_value(tunable, pair->second));
    } catch (const UsageError& error) {
      throw UsageError(fmt::format("{}: {}", allocator.name, error.what()));
    }
    const auto same = [&](const auto& other) { return other.first == pair->first; };
    if (std::any_of(tunables.begin(), pair, same))
      throw UsageError(fmt::format("{}: {} is given twice", allocator.name, pair->first));
  }
}

Allocator row_of(const Item& item, const std::vector<Allocator>& catalog) {
  if (const Allocator* const known = find(catalog, item.name)) {
    if (known->builtin && !item.path.empty())
      throw UsageError(fmt::format("{} is the C library itself: it cannot be given as a file", item.name));
    return *known;
  }
  if (item.path.empty()) {
    std::vector<std::string> names = {"all"};
    for (const Allocator& allocator : catalog) names.push_back(allocator.name);
    throw UsageError(unknown("allocator", item.name, names) + " (any library: name=/path/lib.so)");
  }
  Allocator own;
  own.name = item.name;
  own.summary = "given by its path";
  own.libraries = {item.path};
  return own;
}

std::string why_missing(const Allocator& allocator) {
  if (allocator.bundled)
    return fmt::format("{} does not lie beside the heapmark program: build it", allocator.libraries.at(0));
  if (allocator.package.empty()) return fmt::format("{} is not installed", allocator.libraries.at(0));
  return fmt::format("{} is not installed: apt-get install {}", allocator.libraries.at(0), allocator.package);
}

Selection resolve(const Item& item, const std::vector<Allocator>& catalog, const Libraries& libraries,
                  const std::string& noop_library) {
  Selection selection;
  selection.allocator = row_of(item, catalog);
  check_tunables(selection.allocator, item.tunables);
  selection.label = label_of(item);
  selection.tunables = item.tunables;
  selection.given_by_path = !item.path.empty();
  selection.library = item.path.empty() ? libraries.find(selection.allocator) : libraries.given(item.path);
  if (selection.library.empty()) {
    selection.skipped = why_missing(selection.allocator);
    return selection;
  }
  selection.preload = libraries.preloadable(selection.allocator.builtin ? noop_library : selection.library);
  selection.build_id = libraries.build_id(selection.library);
  return selection;
}

// The C library's first, which others are compared with, ours last; between them by name.
std::vector<const Allocator*> all_for_use(const std::vector<Allocator>& catalog) {
  std::vector<const Allocator*> all;
  for (const Allocator& allocator : catalog)
    if (allocator.not_for_use.empty()) all.push_back(&allocator);
  const auto rank = [](const Allocator* one) { return one->builtin ? 0 : one->bundled ? 2 : 1; };
  std::stable_sort(all.begin(), all.end(),
                   [&](const Allocator* a, const Allocator* b) { return rank(a) < rank(b); });
  return all;
}

// The same allocator twice is an A/A run: the second becomes "glibc#2".
void number_twins(std::vector<Selection>& selections) {
  for (std::size_t i = 0; i < selections.size(); ++i) {
    unsigned twins = 1;
    const std::string label = selections[i].label;
    for (std::size_t j = i + 1; j < selections.size(); ++j)
      if (selections[j].label == label) selections[j].label = fmt::format("{}#{}", label, ++twins);
  }
}

}  // namespace

std::vector<Selection> select(std::string_view list, const std::vector<Allocator>& catalog,
                              const Libraries& libraries, const std::string& noop_library) {
  std::vector<Selection> selections;
  for (const std::string& written : split(list)) {
    if (written == "all") {
      for (const Allocator* const allocator : all_for_use(catalog))
        selections.push_back(resolve({allocator->name, "", {}}, catalog, libraries, noop_library));
    } else {
      selections.push_back(resolve(parse_item(written), catalog, libraries, noop_library));
    }
  }
  number_twins(selections);

  std::vector<std::string> files;
  for (const Selection& selection : selections)
    if (!selection.library.empty()) files.push_back(selection.library);
  const std::map<std::string, std::string> versions = libraries.versions(files);
  for (Selection& selection : selections)
    if (const auto version = versions.find(selection.library); version != versions.end())
      selection.version = version->second;
  return selections;
}

bool keeps_time_itself(const Selection& selection) {
  if (selection.allocator.clock == ClockUse::kOwn) return true;
  for (const auto& [name, value] : selection.tunables)
    for (const Tunable& tunable : selection.allocator.tunables)
      if (tunable.name == name && !tunable.own_clock.empty() &&
          environment_value(tunable, value) == environment_value(tunable, tunable.own_clock))
        return true;
  return false;
}

trial::Pairs environment_of(const Selection& selection) {
  const Allocator& allocator = selection.allocator;
  trial::Pairs environment;
  std::string joined;
  for (const auto& [name, written] : selection.tunables) {
    const Tunable& tunable = tunable_of(allocator, name);
    const std::string value = environment_value(tunable, written);
    if (allocator.style == "variable") {
      environment.emplace_back(tunable.variable, value);
    } else {
      if (!joined.empty()) joined += allocator.separator;
      joined += fmt::format(fmt::runtime(allocator.format), fmt::arg("name", name), fmt::arg("value", value));
    }
  }
  if (!joined.empty()) environment.emplace_back(allocator.environment, joined);
  return environment;
}

}  // namespace heapmark::plan
