// Numbers as people read them: "1.5 MiB", "105 ns", "1,234", "0.45". Three significant digits; the unit comes
// from the metric. Raw numbers for machines are not made here (see csv.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace heapmark::view {

// `unit` is a metric's: "bytes", "ns", "s", "1/s", "count", "ratio"; any other is written after the number.
[[nodiscard]] std::string quantity(double value, std::string_view unit);

// "1 event", "1,234 events", "10.3 M events".
[[nodiscard]] std::string counted(std::uint64_t count, std::string_view singular);

// "1m 40s", "12s", "under a second".
[[nodiscard]] std::string duration(double seconds);

}  // namespace heapmark::view
