// Which object lies at an address: what closing a recording needs to know of each live block, 48 bytes each
// in a table at most three quarters full. Open addressing with linear probing; what is removed leaves no mark
// (Knuth, The Art of Computer Programming 6.4, algorithm R). Not for threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "harness/trace/trace_writer.h"

namespace heapmark::trace {

// Of an object that is no request of the program: see kRawHidden.
inline constexpr std::uint32_t kHiddenThread = ~std::uint32_t{0};

class AddressMap {
 public:
  AddressMap() : places_(kFirstPlaces) {}

  // Null where no object lies there. Valid until the next insert or erase.
  [[nodiscard]] LiveObject* find(std::uint64_t address) {
    std::size_t at = home(address);
    while (places_[at].used && places_[at].address != address) at = next(at);
    return places_[at].used ? &places_[at].object : nullptr;
  }

  // `address` must not be in it.
  void insert(std::uint64_t address, const LiveObject& object) {
    if ((size_ + 1) * 4 > places_.size() * 3) grow();
    place(address, object);
    ++size_;
  }

  // `address` must be in it.
  void erase(std::uint64_t address) {
    std::size_t hole = home(address);
    while (places_[hole].address != address || !places_[hole].used) hole = next(hole);
    for (std::size_t at = next(hole); places_[at].used; at = next(at)) {
      // What stands between its home and here may move to the hole unless its home lies behind the hole.
      const std::size_t from_home = (at - home(places_[at].address)) & (places_.size() - 1);
      if (from_home < ((at - hole) & (places_.size() - 1))) continue;
      places_[hole] = places_[at];
      hole = at;
    }
    places_[hole].used = false;
    --size_;
  }

  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  struct Place {
    std::uint64_t address = 0;
    LiveObject object;
    bool used = false;
  };
  static constexpr std::size_t kFirstPlaces = 1024;  // a power of two

  [[nodiscard]] std::size_t home(std::uint64_t address) const {
    return static_cast<std::size_t>((address * 0x9e3779b97f4a7c15) >> 20) & (places_.size() - 1);
  }
  [[nodiscard]] std::size_t next(std::size_t at) const { return (at + 1) & (places_.size() - 1); }
  void place(std::uint64_t address, const LiveObject& object) {
    std::size_t at = home(address);
    while (places_[at].used) at = next(at);
    places_[at] = {address, object, true};
  }
  void grow() {
    std::vector<Place> old(places_.size() * 2);
    old.swap(places_);
    for (const Place& one : old)
      if (one.used) place(one.address, one.object);
  }

  std::vector<Place> places_;
  std::size_t size_ = 0;
};

}  // namespace heapmark::trace
