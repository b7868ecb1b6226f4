// What `--vary` means: "mmap_threshold=32K..32M*4" becomes the values 32K, 128K, ... 32M, and several of them
// a grid, written as a list of allocators that select() takes. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/plan/catalog.h"

namespace heapmark::plan {

struct Varied {
  std::string tunable;
  std::vector<std::string> values;  // as users write them: "32K", "1M", "-1"
  bool operator==(const Varied&) const = default;
};

// "NAME=VALUE,..." where a VALUE may be a range: "A..B*F" (A, A*F, ... up to B), "A..B+S", or "A..B", which
// doubles. Throws UsageError for an unknown tunable ("did you mean"), an allocator that has none, a size or
// time without a unit (0 and -1 need none), a value out of range, a range that never ends or holds over 64
// values.
[[nodiscard]] Varied parse_vary(std::string_view written, const Allocator& allocator);

// The catalog row of the one allocator that "glibc" or "glibc[arena_max=1]" names. Throws UsageError where it
// is a list, is unknown, or has no tunables.
[[nodiscard]] const Allocator& allocator_to_vary(std::string_view base,
                                                 const std::vector<Allocator>& catalog);

// "mmap_threshold, trim_threshold, ...".
[[nodiscard]] std::string names_of_tunables(const Allocator& allocator);

// `base` itself and every combination of the values on top of it, the last tunable varying fastest.
[[nodiscard]] std::vector<std::string> grid_of(const std::string& base, const std::vector<Varied>& varied);

// Every second value of the tunable with the most values is left out, its two ends stay. False where none has
// more than two left.
bool thin(std::vector<Varied>& varied);

}  // namespace heapmark::plan
