// See tunables.h.
#include "allocators/brkmmap/tunables.h"

#include <unistd.h>

#include <cstdio>
#include <cstring>

namespace brkmmap {

bool parse_amount(const char* text, std::uint64_t* value) noexcept {
  std::uint64_t amount = 0;
  const char* at = text;
  for (; *at >= '0' && *at <= '9'; ++at) {
    if (__builtin_mul_overflow(amount, std::uint64_t{10}, &amount)) return false;
    if (__builtin_add_overflow(amount, static_cast<std::uint64_t>(*at - '0'), &amount)) return false;
  }
  if (at == text) return false;
  unsigned shift = 0;
  if (*at == 'k' || *at == 'K') shift = 10;
  if (*at == 'm' || *at == 'M') shift = 20;
  if (*at == 'g' || *at == 'G') shift = 30;
  if (shift != 0) ++at;
  if (*at != '\0' || __builtin_mul_overflow(amount, std::uint64_t{1} << shift, &amount)) return false;
  *value = amount;
  return true;
}

bool set_tunable(Tunables& tunables, const TunableRow& row, const char* text) noexcept {
  std::uint64_t value = 0;
  if (!parse_amount(text, &value) || value < row.least || value > row.most) return false;
  (tunables.*row.value).set(value);
  return true;
}

int read_environment(Tunables& tunables, char* const* environment, int descriptor) noexcept {
  int bad = 0;
  for (; *environment != nullptr; ++environment) {
    for (const TunableRow& row : kTunableRows) {
      const std::size_t length = std::strlen(row.variable);
      if (std::strncmp(*environment, row.variable, length) != 0 || (*environment)[length] != '=') continue;
      const char* text = *environment + length + 1;
      if (set_tunable(tunables, row, text)) continue;
      ++bad;
      char line[256];
      const int size = std::snprintf(
          line, sizeof line, "brkmmap: %s=%.40s is no number from %llu to %llu; %llu is used\n", row.variable,
          text, static_cast<unsigned long long>(row.least), static_cast<unsigned long long>(row.most),
          static_cast<unsigned long long>(row.standard));
      if (write(descriptor, line, static_cast<std::size_t>(size)) < 0) return bad;
    }
  }
  return bad;
}

}  // namespace brkmmap
