// See vary.h.
#include "harness/plan/vary.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include "harness/plan/did_you_mean.h"
#include "harness/plan/usage_error.h"
#include "harness/plan/written_value.h"

namespace heapmark::plan {
namespace {

constexpr std::size_t kMostValues = 64;

[[noreturn]] void wrong(std::string_view written, std::string_view why) {
  throw UsageError(fmt::format("--vary {}: {}", written, why));
}

std::vector<std::string> split_at_commas(std::string_view text) {
  std::vector<std::string> parts(1);
  for (const char c : text)
    if (c == ',')
      parts.emplace_back();
    else
      parts.back() += c;
  return parts;
}

const Tunable& tunable_named(const Allocator& allocator, const std::string& name) {
  std::vector<std::string> names;
  for (const Tunable& tunable : allocator.tunables) {
    if (tunable.name == name) return tunable;
    names.push_back(tunable.name);
  }
  const std::string message = unknown("tunable of " + allocator.name, name, names);
  const bool lists = message.find("known:") != std::string::npos;
  throw UsageError(message + (lists ? "" : " (known: " + names_of_tunables(allocator) + ")"));
}

bool needs_unit(const Tunable& tunable) {
  return tunable.type == "bytes" || tunable.unit == "ms" || tunable.unit == "s";
}

// 32K of bytes is 32768; a bare 32 could be anything.
WrittenNumber number_of(std::string_view written, const Tunable& tunable, const std::string& value) {
  const auto number = parse_number(value);
  if (!number) wrong(written, fmt::format("'{}' is no number", value));
  if (needs_unit(tunable) && number->dimension == WrittenNumber::Dimension::kPlain && number->value > 0)
    wrong(written, fmt::format("{} of which unit? Write {}", value,
                               tunable.type == "bytes" ? value + "B, " + value + "K or " + value + "M"
                                                       : value + "ms or " + value + "s"));
  return *number;
}

// A size as people write it; other numbers in the suffix in which the range began.
std::string text_of(double value, const WrittenNumber& like) {
  if (like.dimension == WrittenNumber::Dimension::kTime) return fmt::format("{:.0f}ms", value * 1000);
  if (like.dimension == WrittenNumber::Dimension::kPlain) return fmt::format("{}", value);
  const char* suffix = "B";
  for (const char* larger : {"K", "M", "G", "T"}) {
    if (std::fmod(value, 1024) != 0 || value == 0) break;
    value /= 1024;
    suffix = larger;
  }
  return fmt::format("{:.0f}{}", value, suffix);
}

void add_range(std::string_view written, const Tunable& tunable, const std::string& text,
               std::vector<std::string>& values) {
  const std::size_t dots = text.find("..");
  const std::string from_text = text.substr(0, dots);
  std::string to_text = text.substr(dots + 2), step_text = "*2";
  if (const std::size_t step = to_text.find_first_of("*+"); step != std::string::npos) {
    step_text = to_text.substr(step);
    to_text.resize(step);
  }
  const WrittenNumber from = number_of(written, tunable, from_text),
                      to = number_of(written, tunable, to_text);
  const bool factor = step_text[0] == '*';
  const auto step = parse_number(step_text.substr(1));
  if (!step || (factor ? step->value <= 1 || from.value <= 0 : step->value <= 0))
    wrong(written, "a range goes on: A..B*F with A above 0 and F above 1, or A..B+S with S above 0");
  if (from.value > to.value) wrong(written, "the range ends before it begins");
  const WrittenNumber& like = from.dimension == WrittenNumber::Dimension::kPlain ? to : from;
  for (double value = from.value; value <= to.value * (1 + 1e-9);
       value = factor ? value * step->value : value + step->value) {
    values.push_back(text_of(value, like));
    if (values.size() > kMostValues) wrong(written, fmt::format("more than {} values", kMostValues));
  }
}

}  // namespace

Varied parse_vary(std::string_view written, const Allocator& allocator) {
  const std::size_t equals = written.find('=');
  if (equals == std::string_view::npos || equals == 0 || equals + 1 == written.size())
    wrong(written, "written NAME=VALUE,VALUE... or NAME=A..B*F");
  Varied varied;
  varied.tunable = written.substr(0, equals);
  const Tunable& tunable = tunable_named(allocator, varied.tunable);
  for (const std::string& part : split_at_commas(written.substr(equals + 1))) {
    if (part.find("..") != std::string::npos) {
      add_range(written, tunable, part, varied.values);
      continue;
    }
    if (tunable.type != "boolean") static_cast<void>(number_of(written, tunable, part));
    varied.values.push_back(part);
  }
  std::set<std::string> seen;
  for (const std::string& value : varied.values) {
    const std::string meant = environment_value(tunable, value);
    if (!seen.insert(meant).second) wrong(written, fmt::format("{} is given twice", value));
  }
  return varied;
}

const Allocator& allocator_to_vary(std::string_view base, const std::vector<Allocator>& catalog) {
  const std::string name(base.substr(0, base.find('[')));
  if (name.find_first_of(",=") != std::string::npos || base.find("],") != std::string_view::npos)
    throw UsageError(fmt::format("-a {}: one allocator of the catalog is varied at a time", base));
  const Allocator* const found = find(catalog, name);
  if (found == nullptr) {
    std::vector<std::string> names;
    for (const Allocator& one : catalog) names.push_back(one.name);
    throw UsageError(unknown("allocator", name, names));
  }
  if (found->tunables.empty())
    throw UsageError(fmt::format("{} has no tunables: there is nothing to vary", name));
  return *found;
}

std::string names_of_tunables(const Allocator& allocator) {
  std::vector<std::string> names;
  for (const Tunable& tunable : allocator.tunables) names.push_back(tunable.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

std::vector<std::string> grid_of(const std::string& base, const std::vector<Varied>& varied) {
  std::vector<std::string> pairs{""};
  for (const Varied& one : varied) {
    std::vector<std::string> longer;
    for (const std::string& before : pairs)
      for (const std::string& value : one.values)
        longer.push_back(before + (before.empty() ? "" : ",") + one.tunable + "=" + value);
    pairs = std::move(longer);
  }
  const bool bracketed = base.back() == ']';
  std::vector<std::string> labels{base};
  for (const std::string& pair : pairs)
    labels.push_back(bracketed ? base.substr(0, base.size() - 1) + "," + pair + "]"
                               : base + "[" + pair + "]");
  return labels;
}

bool thin(std::vector<Varied>& varied) {
  const auto longest = std::max_element(varied.begin(), varied.end(), [](const Varied& a, const Varied& b) {
    return a.values.size() < b.values.size();
  });
  if (longest == varied.end() || longest->values.size() <= 2) return false;
  std::vector<std::string> kept;
  for (std::size_t at = 0; at < longest->values.size(); ++at)
    if (at % 2 == 0 || at + 1 == longest->values.size()) kept.push_back(longest->values[at]);
  // Of four values every second and the last are three: the next call takes one of the middle again.
  if (kept.size() == longest->values.size()) kept.erase(kept.begin() + 1);
  longest->values = std::move(kept);
  return true;
}

}  // namespace heapmark::plan
