// See precision.h.
#include "harness/cli/precision.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "harness/plan/usage_error.h"

namespace heapmark::cli {
namespace {

using stats::Reached;

std::string percent(double share) {
  if (share > 1 && !std::isinf(share)) return "over 100 %";
  return std::isinf(share) ? "no interval yet" : fmt::format("{:.1f} %", share * 100);
}

std::string place(const Reached& one) {
  return fmt::format("{}/{}", one.workload, one.variant);
}

}  // namespace

double parse_precision(const std::string& written) {
  double value = 0;
  const char* const end = written.data() + written.size();
  const auto [rest, error] = std::from_chars(written.data(), end, value, std::chars_format::fixed);
  std::string unit(rest, end);
  unit.erase(0, unit.find_first_not_of(' '));
  if (unit == "%") value /= 100;
  if (error != std::errc{} || (!unit.empty() && unit != "%") || !(value > 0) || !(value < 1))
    throw UsageError("--precision takes a share like 2% or 0.02, not '" + written + "'");
  return value;
}

std::string precision_words(const std::vector<Reached>& reached, double asked) {
  if (reached.empty()) return "";
  std::vector<Reached> sorted = reached;
  std::sort(sorted.begin(), sorted.end(),
            [](const Reached& a, const Reached& b) { return a.half_width < b.half_width; });
  const Reached& widest = sorted.back();
  std::string words = fmt::format(
      "Half-width of the 95 % intervals of time: {} in the median workload variant, {} at most ({}, {}).\n",
      percent(sorted[(sorted.size() - 1) / 2].half_width), percent(widest.half_width), place(widest),
      widest.allocator);
  if (asked == 0) return words;
  std::string missed;
  std::size_t precise = 0;
  for (const Reached& one : reached) {
    if (one.half_width <= stats::wanted_half_width(asked, one.threads))
      ++precise;
    else
      missed += fmt::format("{}{} ({}, {})", missed.empty() ? "" : ", ", place(one), percent(one.half_width),
                            one.allocator);
  }
  const bool any_threads =
      std::any_of(reached.begin(), reached.end(), [](const Reached& one) { return one.threads > 1; });
  const std::string with_threads =
      any_threads ? fmt::format(" ({} with several threads)", percent(stats::wanted_half_width(asked, 2)))
                  : "";
  words += fmt::format("--precision {}{} is reached in {} of {} workload variants", percent(asked),
                       with_threads, precise, reached.size());
  return words + (missed.empty() ? ".\n" : "; not in " + missed + ".\n");
}

}  // namespace heapmark::cli
