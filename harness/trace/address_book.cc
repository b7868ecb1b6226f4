#include "harness/trace/address_book.h"

namespace heapmark::trace {

void AddressBook::make_room(std::uint32_t thread, std::uint64_t time_ns, std::uint64_t address) {
  const auto found = live_.find(address);
  if (found == live_.end()) return;
  writer_.free(thread, time_ns, found->second);
  live_.erase(found);
  ++freed_early_[address];
  ++counts_.repaired_inversions;
}

bool AddressBook::was_freed_early(std::uint64_t address) {
  const auto found = freed_early_.find(address);
  if (found == freed_early_.end()) return false;
  if (--found->second == 0) freed_early_.erase(found);
  return true;
}

void AddressBook::request(std::uint32_t thread, std::uint64_t time_ns, Op op, std::uint64_t address,
                          std::uint64_t bytes, std::uint8_t log2_alignment) {
  if (address == 0) {
    writer_.refused(thread, time_ns, bytes);
    return;
  }
  make_room(thread, time_ns, address);
  live_[address] = writer_.request(thread, time_ns, op, bytes, log2_alignment);
}

void AddressBook::resize(std::uint32_t thread, std::uint64_t time_ns, std::uint64_t old_address,
                         std::uint64_t address, std::uint64_t bytes) {
  if (old_address == 0) return request(thread, time_ns, Op::kMalloc, address, bytes);
  if (address == 0) {
    // Of no bytes it is a free (glibc); else the old block stays.
    if (bytes == 0) return free(thread, time_ns, old_address);
    writer_.refused(thread, time_ns, bytes);
    return;
  }
  if (old_address != address) make_room(thread, time_ns, address);
  const auto found = live_.find(old_address);
  if (found == live_.end()) {
    if (!was_freed_early(old_address)) ++counts_.unknown_frees;
    return request(thread, time_ns, Op::kMalloc, address, bytes);
  }
  const LiveObject old = found->second;
  live_.erase(found);
  live_[address] = writer_.resize(thread, time_ns, old, bytes, old_address != address);
}

void AddressBook::free(std::uint32_t thread, std::uint64_t time_ns, std::uint64_t address) {
  if (address == 0) return;
  const auto found = live_.find(address);
  if (found == live_.end()) {
    if (!was_freed_early(address)) ++counts_.unknown_frees;
    return;
  }
  writer_.free(thread, time_ns, found->second);
  live_.erase(found);
}

}  // namespace heapmark::trace
