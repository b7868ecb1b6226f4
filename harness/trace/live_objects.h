// The live objects of a trace by name: an open hash table (linear probing, deletion by moving back what
// follows, so that no marks of deleted entries remain). 32 bytes an entry, at most two thirds full. Knows
// nothing of the trace.
#pragma once

#include <cstdint>
#include <vector>

#include "workloads/contract/trace/format.h"

namespace heapmark::trace {

struct Known {
  std::uint64_t bytes = 0, born_tick = 0;
  std::uint32_t written_pages = kNotTold;
  Op op = Op::kMalloc;  // that made it
  std::uint8_t log2_alignment = 0;
};

class LiveObjects {
 public:
  [[nodiscard]] std::uint64_t size() const { return count_; }

  // False where it is there already.
  bool add(const Object& object, const Known& known) {
    if ((count_ + 1) * 3 > entries_.size() * 2) grow();
    const std::uint64_t key = key_of(object);
    std::size_t at = home(key);
    for (; entries_[at].key != 0; at = after(at))
      if (entries_[at].key == key) return false;
    entries_[at] = {key, known};
    ++count_;
    return true;
  }

  // Null where it is not there. Valid until the next add or take.
  Known* find(const Object& object) {
    if (count_ == 0) return nullptr;
    const std::uint64_t key = key_of(object);
    std::size_t at = home(key);
    for (; entries_[at].key != key; at = after(at))
      if (entries_[at].key == 0) return nullptr;
    return &entries_[at].known;
  }

  // False where it is not there.
  bool take(const Object& object, Known& known) {
    if (count_ == 0) return false;
    const std::uint64_t key = key_of(object);
    std::size_t at = home(key);
    for (; entries_[at].key != key; at = after(at))
      if (entries_[at].key == 0) return false;
    known = entries_[at].known;
    --count_;
    for (std::size_t from = after(at); entries_[from].key != 0; from = after(from)) {
      // What follows moves into the gap unless its home lies after the gap.
      const std::size_t distance = (from - home(entries_[from].key)) & mask();
      if (distance < ((from - at) & mask())) continue;
      entries_[at] = entries_[from];
      at = from;
    }
    entries_[at].key = 0;
    return true;
  }

  // In no order.
  template <typename See>
  void each(const See& see) const {
    for (const Entry& entry : entries_)
      if (entry.key != 0)
        see(Object{static_cast<std::uint32_t>((entry.key - 1) >> kSerialBits),
                   (entry.key - 1) & ((std::uint64_t{1} << kSerialBits) - 1)},
            entry.known);
  }

 private:
  struct Entry {
    std::uint64_t key = 0;  // 0: free
    Known known;
  };
  static constexpr unsigned kSerialBits = 44;
  static_assert(kMaxEvents < std::uint64_t{1} << kSerialBits && kMaxThreads <= std::uint64_t{1}
                                                                                   << (64 - kSerialBits));

  static std::uint64_t key_of(const Object& object) {
    return (std::uint64_t{object.thread} << kSerialBits | object.serial) + 1;
  }
  [[nodiscard]] std::size_t mask() const { return entries_.size() - 1; }
  [[nodiscard]] std::size_t after(std::size_t at) const { return (at + 1) & mask(); }
  // Eight objects that a thread makes one after the other are neighbours: they are often given up one after
  // the other as well. The high bits of a product depend on all bits of the key (Knuth, volume 3, 6.4:
  // multiplicative hashing).
  [[nodiscard]] std::size_t home(std::uint64_t key) const {
    return ((((key >> 3) * 0x9e3779b97f4a7c15) >> (shift_ + 3)) << 3) | (key & 7);
  }

  void grow() {
    std::vector<Entry> old = std::move(entries_);
    entries_.assign(old.empty() ? 64 : old.size() * 2, {});
    shift_ = 64;
    for (std::size_t size = entries_.size(); size > 1; size /= 2) --shift_;
    count_ = 0;
    for (const Entry& entry : old) {
      if (entry.key == 0) continue;
      std::size_t at = home(entry.key);
      while (entries_[at].key != 0) at = after(at);
      entries_[at] = entry;
      ++count_;
    }
  }

  std::vector<Entry> entries_;
  std::uint64_t count_ = 0;
  unsigned shift_ = 64;
};

}  // namespace heapmark::trace
