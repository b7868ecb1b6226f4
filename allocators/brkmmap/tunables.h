// The thresholds: one struct made from the table tunables.def, and how their text is read. Who reads the
// environment, and when, is the entry's business. Values are set before use or by mallopt; readers take them
// one by one and tolerate a change at any time.
#pragma once

#include <atomic>
#include <cstdint>

namespace brkmmap {

// Relaxed: each value stands for itself.
class Tunable {
 public:
  constexpr Tunable(std::uint64_t value) noexcept : value_(value) {}
  operator std::uint64_t() const noexcept { return value_.load(std::memory_order_relaxed); }
  void set(std::uint64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_;
};

struct Tunables {
#define TUNABLE(name, variable, standard, least, most, unit, help) Tunable name{standard};
#include "allocators/brkmmap/tunables.def"
#undef TUNABLE
  // Percent of live bytes; 0 where thresholds are fixed.
  std::uint64_t slack_share() const noexcept {
    return dynamic * slack_percent;
  }
  std::uint64_t keep_share() const noexcept {
    return dynamic * keep_percent;
  }
};

struct TunableRow {
  const char* name;
  const char* variable;
  std::uint64_t standard, least, most;
  const char* unit;
  const char* help;
  Tunable Tunables::*value;
};

inline constexpr TunableRow kTunableRows[] = {
#define TUNABLE(name, variable, standard, least, most, unit, help) \
  {#name, variable, standard, least, most, unit, help, &Tunables::name},
#include "allocators/brkmmap/tunables.def"
#undef TUNABLE
};

// Reads "4096", "128K", "1m", "2G". False where the text is anything else or the value passes 2^64 - 1.
[[nodiscard]] bool parse_amount(const char* text, std::uint64_t* value) noexcept;

// Sets a row from text. False, and nothing changed, where it cannot be read or lies outside the row's range.
[[nodiscard]] bool set_tunable(Tunables& tunables, const TunableRow& row, const char* text) noexcept;

// Sets every row whose variable stands in `environment` (as environ); each bad value is reported once on
// `descriptor` and the default kept. Returns how many were bad.
int read_environment(Tunables& tunables, char* const* environment, int descriptor) noexcept;

}  // namespace brkmmap
