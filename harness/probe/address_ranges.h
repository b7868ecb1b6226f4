// A set of address ranges [start, end): which anonymous memory a process holds. Pure arithmetic.
#pragma once

#include <cstdint>
#include <map>

namespace heapmark::probe {

class AddressRanges {
 public:
  // Each returns by how many bytes the total changed: what was not there before, what was there.
  std::uint64_t add(std::uint64_t start, std::uint64_t end);
  std::uint64_t remove(std::uint64_t start, std::uint64_t end);

  [[nodiscard]] std::uint64_t overlap(std::uint64_t start, std::uint64_t end) const;
  [[nodiscard]] std::uint64_t total() const { return total_; }

 private:
  std::map<std::uint64_t, std::uint64_t> ranges_;  // start -> end; disjoint and not touching
  std::uint64_t total_ = 0;
};

}  // namespace heapmark::probe
