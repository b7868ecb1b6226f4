// See pressure_limits.h.
#include "harness/plan/pressure_limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <sstream>

#include "harness/plan/usage_error.h"

namespace heapmark::plan {
namespace {

constexpr std::string_view kSmallest = "smallest";
constexpr double kLargestShare = 10;
constexpr char kSign = '@';

}  // namespace

PressureLimits parse_pressure_limits(const std::string& written) {
  PressureLimits limits{{}, false};
  std::istringstream in(written);
  for (std::string word; std::getline(in, word, ',');) {
    if (word == kSmallest) {
      limits.smallest = true;
      continue;
    }
    double share = 0;
    const char* const end = word.data() + word.size();
    const auto [rest, error] = std::from_chars(word.data(), end, share, std::chars_format::fixed);
    if (error != std::errc{} || rest != end || !(share > 0) || share > kLargestShare)
      throw UsageError(
          fmt::format("--pressure takes shares of the baseline's peak, above 0 and up to {}, and the "
                      "word smallest: 0.9,0.7,smallest; not '{}'",
                      kLargestShare, written));
    if (std::find(limits.shares.begin(), limits.shares.end(), share) != limits.shares.end())
      throw UsageError(fmt::format("--pressure: {} is given twice", word));
    limits.shares.push_back(share);
  }
  if (limits.shares.empty() && !limits.smallest)
    throw UsageError("--pressure: at least one share, or the word smallest");
  return limits;
}

std::string variant_at(const std::string& variant, double share) {
  if (share == 0) return variant + kSign + "unlimited";
  return fmt::format("{}{}{}", variant, kSign, share);
}

std::string variant_without_limit(const std::string& variant) {
  return variant.substr(0, variant.rfind(kSign));
}

}  // namespace heapmark::plan
