// See address_ranges.h.
#include "harness/ledger/address_ranges.h"

#include <algorithm>
#include <iterator>

namespace heapmark::ledger {

std::uint64_t AddressRanges::overlap(std::uint64_t start, std::uint64_t end) const {
  std::uint64_t bytes = 0;
  auto at = ranges_.upper_bound(start);
  if (at != ranges_.begin()) --at;
  for (; at != ranges_.end() && at->first < end; ++at) {
    const std::uint64_t from = std::max(at->first, start), to = std::min(at->second, end);
    if (from < to) bytes += to - from;
  }
  return bytes;
}

std::uint64_t AddressRanges::add(std::uint64_t start, std::uint64_t end) {
  if (start >= end) return 0;
  const std::uint64_t added = end - start - overlap(start, end);
  auto at = ranges_.upper_bound(start);
  if (at != ranges_.begin() && std::prev(at)->second >= start) --at;
  while (at != ranges_.end() && at->first <= end) {
    start = std::min(start, at->first);
    end = std::max(end, at->second);
    at = ranges_.erase(at);
  }
  ranges_[start] = end;
  total_ += added;
  return added;
}

std::vector<AddressRanges::Range> AddressRanges::remove(std::uint64_t start, std::uint64_t end) {
  std::vector<Range> removed;
  if (start >= end) return removed;
  auto at = ranges_.upper_bound(start);
  if (at != ranges_.begin()) --at;
  while (at != ranges_.end() && at->first < end) {
    const auto [first, last] = *at;
    if (last <= start) {
      ++at;
      continue;
    }
    at = ranges_.erase(at);
    if (first < start) ranges_[first] = start;
    if (last > end) ranges_[end] = last;
    removed.emplace_back(std::max(first, start), std::min(last, end));
  }
  total_ -= bytes_of(removed);
  return removed;
}

std::uint64_t bytes_of(const std::vector<AddressRanges::Range>& ranges) {
  std::uint64_t bytes = 0;
  for (const auto& [start, end] : ranges) bytes += end - start;
  return bytes;
}

}  // namespace heapmark::ledger
