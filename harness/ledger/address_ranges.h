// A set of address ranges [start, end): which anonymous memory a process holds. Pure arithmetic.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace heapmark::ledger {

class AddressRanges {
 public:
  using Range = std::pair<std::uint64_t, std::uint64_t>;

  // Returns how many bytes were not there before.
  std::uint64_t add(std::uint64_t start, std::uint64_t end);
  // Returns the parts that were there.
  std::vector<Range> remove(std::uint64_t start, std::uint64_t end);

  [[nodiscard]] std::uint64_t overlap(std::uint64_t start, std::uint64_t end) const;
  [[nodiscard]] std::uint64_t total() const { return total_; }

 private:
  std::map<std::uint64_t, std::uint64_t> ranges_;  // start -> end; disjoint and not touching
  std::uint64_t total_ = 0;
};

[[nodiscard]] std::uint64_t bytes_of(const std::vector<AddressRanges::Range>& ranges);

}  // namespace heapmark::ledger
