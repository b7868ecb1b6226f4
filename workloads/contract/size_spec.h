// How a user writes the sizes of requests: `820` (each request of that many bytes), `16..1K` (from 16 bytes
// to below 1 KiB, each octave as likely as any other) or `@FILE` (a histogram: a line `BYTES WEIGHT` for each
// size). The harness checks the text before a run, the measured process draws from what it says. Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace heapmark {

inline constexpr std::uint64_t kLargestSize = std::uint64_t{1} << 30;
inline constexpr const char* kSizeSpecHelp =
    "sizes are one size (820), a range (16..1K) or @FILE with a line BYTES WEIGHT for each size; 1 to 1G";

struct SizeSpec {
  enum class Form : std::uint8_t { kWrong, kOne, kRange, kFile };
  Form form = Form::kWrong;
  std::uint64_t low = 0, high = 0;  // kOne: both the size; kRange: from low to below high
};

namespace detail {

// "16", "64K": digits and one of K, M, G; 0 where the text is anything else or above kLargestSize.
constexpr std::uint64_t read_size(std::string_view text) {
  std::uint64_t value = 0;
  std::size_t at = 0;
  for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
    value = value * 10 + static_cast<std::uint64_t>(text[at] - '0');
    if (value > kLargestSize) return 0;
  }
  if (at == 0) return 0;
  if (at < text.size()) {
    const char suffix = text[at++];
    const unsigned shift = suffix == 'K' ? 10 : suffix == 'M' ? 20 : suffix == 'G' ? 30 : 0;
    if (shift == 0 || at != text.size()) return 0;
    value <<= shift;
  }
  return value <= kLargestSize ? value : 0;
}

}  // namespace detail

constexpr SizeSpec parse_size_spec(std::string_view text) {
  if (text.size() > 1 && text[0] == '@') return {SizeSpec::Form::kFile, 0, 0};
  const std::size_t dots = text.find("..");
  if (dots == std::string_view::npos) {
    const std::uint64_t one = detail::read_size(text);
    return one == 0 ? SizeSpec{} : SizeSpec{SizeSpec::Form::kOne, one, one};
  }
  const std::uint64_t low =
      detail::read_size({text.data(), dots});  // not substr: it may throw, and the host links no C++ library
  const std::uint64_t high = detail::read_size({text.data() + dots + 2, text.size() - dots - 2});
  if (low == 0 || high <= low) return {};
  return {SizeSpec::Form::kRange, low, high};
}

}  // namespace heapmark
