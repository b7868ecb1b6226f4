#include "harness/plan/written_value.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <sstream>
#include <utility>
#include <vector>

#include "harness/plan/did_you_mean.h"
#include "harness/plan/usage_error.h"
#include "workloads/contract/size_spec.h"

namespace heapmark::plan {
namespace {

using Dimension = WrittenNumber::Dimension;

struct Suffix {
  std::string_view text;
  double factor;
  Dimension dimension;
};

constexpr double kKibi = 1024;
constexpr std::array kSuffixes = {
    Suffix{"", 1, Dimension::kPlain},
    Suffix{"B", 1, Dimension::kBytes},
    Suffix{"K", kKibi, Dimension::kBytes},
    Suffix{"KiB", kKibi, Dimension::kBytes},
    Suffix{"M", kKibi* kKibi, Dimension::kBytes},
    Suffix{"MiB", kKibi* kKibi, Dimension::kBytes},
    Suffix{"G", kKibi* kKibi* kKibi, Dimension::kBytes},
    Suffix{"GiB", kKibi* kKibi* kKibi, Dimension::kBytes},
    Suffix{"T", kKibi* kKibi* kKibi* kKibi, Dimension::kBytes},
    Suffix{"TiB", kKibi* kKibi* kKibi* kKibi, Dimension::kBytes},
    Suffix{"ms", 1e-3, Dimension::kTime},
    Suffix{"s", 1, Dimension::kTime},
};

// What one of a tunable's unit is in bytes or seconds; plain for units that are neither.
WrittenNumber unit_size(std::string_view unit) {
  if (unit == "bytes") return {1, Dimension::kBytes};
  if (unit == "ms") return {1e-3, Dimension::kTime};
  for (const Suffix& suffix : kSuffixes)
    if (!suffix.text.empty() && suffix.text == unit) return {suffix.factor, suffix.dimension};
  return {1, Dimension::kPlain};
}

// The number in `unit`, or nothing where the suffix is of another dimension ("10s" for a size).
std::optional<double> number_in(std::string_view written, std::string_view unit) {
  const auto number = parse_number(written);
  if (!number) return std::nullopt;
  if (number->dimension == Dimension::kPlain) return number->value;
  const WrittenNumber size = unit_size(unit);
  if (number->dimension != size.dimension) return std::nullopt;
  const double value = number->value / size.value;
  // 0.3s is 300 ms, whatever binary fractions make of it.
  const double nearest = std::round(value);
  return std::abs(value - nearest) < 1e-9 * std::abs(value) ? nearest : value;
}

bool is_whole(double value) {
  return std::floor(value) == value && std::abs(value) < 9007199254740992.0;
}

std::string plain(double value) {
  return is_whole(value) ? fmt::format("{}", static_cast<std::int64_t>(value)) : fmt::format("{}", value);
}

std::optional<bool> parse_boolean(std::string_view text) {
  for (const auto& [word, value] : {std::pair{"true", true},
                                    {"on", true},
                                    {"yes", true},
                                    {"1", true},
                                    {"false", false},
                                    {"off", false},
                                    {"no", false},
                                    {"0", false}})
    if (text == word) return value;
  return std::nullopt;
}

[[noreturn]] void wrong(std::string_view name, std::string_view written, std::string_view wanted) {
  throw UsageError(fmt::format("{}={}: {}", name, written, wanted));
}

void check_range(std::string_view name, std::string_view written, double value, double min, double max,
                 std::string_view unit) {
  if (value >= min && value <= max) return;
  wrong(name, written,
        fmt::format("out of range, {} to {}{}{}", plain(min), plain(max), unit.empty() ? "" : " ", unit));
}

std::vector<std::string> split_choices(const std::string& choices) {
  std::vector<std::string> all;
  std::istringstream in(choices);
  for (std::string one; std::getline(in, one, '|');) all.push_back(one);
  return all;
}

}  // namespace

std::optional<WrittenNumber> parse_number(std::string_view text) {
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value, std::chars_format::fixed);
  if (error != std::errc{} || !std::isfinite(value)) return std::nullopt;
  const std::string_view written(rest, static_cast<std::size_t>(end - rest));
  for (const Suffix& suffix : kSuffixes)
    if (suffix.text == written) return WrittenNumber{value * suffix.factor, suffix.dimension};
  return std::nullopt;
}

std::string environment_value(const Tunable& tunable, std::string_view written) {
  if (tunable.type == "boolean") {
    const auto value = parse_boolean(written);
    if (!value) wrong(tunable.name, written, "on or off is wanted");
    const bool digits = tunable.default_value == "0" || tunable.default_value == "1";
    return *value ? (digits ? "1" : "true") : (digits ? "0" : "false");
  }
  const auto value = number_in(written, tunable.unit);
  const std::string wanted = tunable.unit.empty() ? "a number" : "a number of " + tunable.unit;
  if (!value) wrong(tunable.name, written, wanted + " is wanted");
  if (tunable.type != "number" && !is_whole(*value)) wrong(tunable.name, written, "a whole number is wanted");
  if (tunable.range)
    check_range(tunable.name, written, *value, tunable.range->first, tunable.range->second, tunable.unit);
  return plain(*value);
}

void check_value(const WorkloadParameter& parameter, std::string_view written) {
  if (parameter.kind == "choice") {
    const std::vector<std::string> choices = split_choices(parameter.choices);
    for (const std::string& choice : choices)
      if (choice == written) return;
    throw UsageError(unknown("choice for " + parameter.name, written, choices));
  }
  if (parameter.kind == "sizes") {
    for (const std::string& choice : split_choices(parameter.choices))
      if (choice == written) return;
    if (parse_size_spec(written).form == SizeSpec::Form::kWrong)
      wrong(parameter.name, written,
            parameter.choices.empty() ? kSizeSpecHelp : parameter.choices + ", or " + kSizeSpecHelp);
    return;
  }
  if (parameter.kind == "text")
    wrong(parameter.name, written, "it is not to be set by hand (a trace is given as -w trace:FILE)");
  // The measured process reads digits, a point and one of these letters, for every kind alike.
  const auto number = written.find_first_not_of("0123456789.KMG") == std::string_view::npos
                          ? parse_number(written)
                          : std::nullopt;
  if (!number) wrong(parameter.name, written, fmt::format("a number is wanted ({})", parameter.kind));
  if (parameter.kind != "share" && !is_whole(number->value))
    wrong(parameter.name, written, "a whole number is wanted");
  const std::string_view kind = parameter.kind;
  const std::string_view unit = kind == "bytes" || kind == "seconds" ? kind : "";
  check_range(parameter.name, written, number->value, parameter.min, parameter.max, unit);
}

}  // namespace heapmark::plan
