#include "harness/plan/did_you_mean.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>
#include <vector>

namespace heapmark::plan {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  // Row i holds the distances of a's first i characters to each beginning of b.
  std::vector<std::size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  std::iota(above.begin(), above.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before.swap(above);
    above.swap(row);
  }
  return above[b.size()];
}

std::string unknown(std::string_view kind, std::string_view name, std::span<const std::string> known) {
  const std::string* nearest = nullptr;
  // A third of the letters may be wrong; more than that is another word.
  std::size_t least = std::max<std::size_t>(1, name.size() / 3) + 1;
  for (const std::string& candidate : known) {
    // What the user only began to write counts as near.
    const bool begun = name.size() >= 3 && candidate.starts_with(name);
    const std::size_t distance = begun ? 1 : edit_distance(name, candidate);
    if (distance < least) {
      least = distance;
      nearest = &candidate;
    }
  }
  if (nearest) return fmt::format("unknown {} \"{}\": did you mean \"{}\"?", kind, name, *nearest);
  if (known.empty()) return fmt::format("unknown {} \"{}\" (there is none)", kind, name);
  return fmt::format("unknown {} \"{}\" (known: {})", kind, name, fmt::join(known, ", "));
}

}  // namespace heapmark::plan
