// The help that comes with an unknown name: the nearest known one, or all of them. Pure.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace heapmark::plan {

// Inserted, deleted, replaced and swapped neighbouring characters, each counted as one (Damerau and
// Levenshtein's distance in its restricted form: no place is edited twice).
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

// `unknown allocator "jemaloc": did you mean "jemalloc"?`, or `... (known: a, b, c)` where none is near.
[[nodiscard]] std::string unknown(std::string_view kind, std::string_view name,
                                  std::span<const std::string> known);

}  // namespace heapmark::plan
