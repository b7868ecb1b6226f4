// See quantity.h.
#include "harness/view/quantity.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

namespace heapmark::view {
namespace {

// Three significant digits without an exponent, for numbers from 0.001 to 9999.
std::string three_digits(double value) {
  const double size = std::abs(value);
  if (size >= 99.95) return fmt::format("{:.0f}", value);
  if (size >= 9.995) return fmt::format("{:.1f}", value);
  if (size >= 0.0995 || size == 0) return fmt::format("{:.2f}", value);
  return fmt::format("{:.3g}", value);
}

template <std::size_t N>
std::string scaled(double value, double step, const std::array<const char*, N>& units) {
  std::size_t unit = 0;
  while (unit + 1 < N && std::abs(value) >= 0.9995 * step) {
    value /= step;
    ++unit;
  }
  const bool whole = unit == 0 && value == std::round(value);
  return fmt::format("{}{}", whole ? fmt::format("{:.0f}", value) : three_digits(value), units[unit]);
}

std::string with_thousands(double value) {
  std::string digits = fmt::format("{:.0f}", std::abs(value));
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return (value < 0 ? "-" : "") + digits;
}

}  // namespace

std::string quantity(double value, std::string_view unit) {
  if (std::isnan(value)) return "not measured";
  if (unit == "bytes") return scaled(value, 1024, std::array{" B", " KiB", " MiB", " GiB", " TiB"});
  if (unit == "ns") return scaled(value, 1000, std::array{" ns", " µs", " ms", " s"});
  if (unit == "1/s") return scaled(value, 1000, std::array{"/s", " k/s", " M/s", " G/s"});
  if (unit == "s") return three_digits(value) + " s";
  if (unit == "ratio") return std::abs(value) < 10 ? fmt::format("{:.2f}", value) : three_digits(value);
  if (unit == "count") {
    if (value != std::round(value) && std::abs(value) < 100) return three_digits(value);
    return std::abs(value) < 1e6 ? with_thousands(value)
                                 : scaled(value, 1000, std::array{"", " k", " M", " G"});
  }
  return three_digits(value) + " " + std::string(unit);
}

std::string counted(std::uint64_t count, std::string_view singular) {
  return fmt::format("{} {}{}", quantity(static_cast<double>(count), "count"), singular,
                     count == 1 ? "" : "s");
}

std::string duration(double seconds) {
  if (seconds < 1) return "under a second";
  const auto whole = static_cast<long>(std::lround(seconds));
  if (whole < 60) return fmt::format("{}s", whole);
  if (whole < 3600) return fmt::format("{}m {:02}s", whole / 60, whole % 60);
  return fmt::format("{}h {:02}m", whole / 3600, whole / 60 % 60);
}

}  // namespace heapmark::view
