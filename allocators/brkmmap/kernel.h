// The ledger of the allocator's own dealings with the kernel: each call that succeeded is counted once, with
// its bytes, in the moment it succeeded; failed ones are not counted. A ptrace ledger outside must see the
// same.
//     mapped_bytes == what brk and mmap gave - what brk, munmap and mremap took back
// Above: everything that takes or gives memory. Below: os.h.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "allocators/brkmmap/os.h"
#include "allocators/brkmmap/retained.h"

namespace brkmmap {

struct Tally {
  std::atomic<std::uint64_t> calls{0};
  std::atomic<std::uint64_t> bytes{0};
  void add(std::size_t amount) noexcept {
    calls.fetch_add(1, std::memory_order_relaxed);
    bytes.fetch_add(amount, std::memory_order_relaxed);
  }
};

class Kernel {
 public:
  Tally grows, trims, purges, releases, maps, remaps;
  std::atomic<std::uint64_t> mapped_bytes{0};
  std::atomic<std::uint64_t> metadata_bytes{0};  // of the mapped ones
  Retained retained;                             // of the mapped ones
  std::atomic<std::size_t> leaving_bytes{0};     // of the mapped ones: about to be unmapped, without the lock
  // Mappings of the kernel's that blocks, what is kept of them and pages gone from slabs may account for,
  // each at most one; holes are counted by the page heap. See os::most_mappings.
  std::atomic<std::size_t> pieces{0};

  // Whether a request that was refused would be refused again after everything free was given back.
  [[nodiscard]] static bool is_hopeless(std::size_t bytes) noexcept { return bytes > os::most_bytes(); }
  [[nodiscard]] void* map(std::size_t bytes) noexcept {
    void* address = os::map(bytes);
    if (address != nullptr) note_map(bytes);
    return address;
  }
  [[nodiscard]] bool map_at(std::uintptr_t address, std::size_t bytes) noexcept {
    const bool done = os::map_at(address, bytes);
    if (done) note_map(bytes);
    return done;
  }
  [[nodiscard]] bool unmap(std::uintptr_t address, std::size_t bytes) noexcept {
    const bool done = os::unmap(address, bytes);
    if (done) {
      releases.add(bytes);
      mapped_bytes.fetch_sub(bytes, std::memory_order_relaxed);
    }
    return done;
  }
  [[nodiscard]] bool purge(std::uintptr_t address, std::size_t bytes) noexcept {
    const bool done = os::purge(address, bytes);
    if (done) purges.add(bytes);
    return done;
  }
  [[nodiscard]] void* remap(std::uintptr_t address, std::size_t old_bytes, std::size_t new_bytes) noexcept {
    void* moved = os::remap(address, old_bytes, new_bytes);
    if (moved != nullptr) {
      remaps.add(new_bytes);
      mapped_bytes.fetch_add(new_bytes - old_bytes,
                             std::memory_order_relaxed);  // wraps rightly when it shrinks
    }
    return moved;
  }
  // Grows a mapping where it is.
  [[nodiscard]] bool extend(std::uintptr_t address, std::size_t old_bytes, std::size_t new_bytes) noexcept {
    const bool done = os::extend(address, old_bytes, new_bytes);
    if (done) {
      remaps.add(new_bytes);
      mapped_bytes.fetch_add(new_bytes - old_bytes, std::memory_order_relaxed);
    }
    return done;
  }
  // Moves pages to `to`, where the process has a mapping already, whose place they take.
  [[nodiscard]] bool move(std::uintptr_t from, std::size_t bytes, std::uintptr_t to) noexcept {
    const bool done = os::move(from, bytes, to);
    if (done) {
      remaps.add(bytes);
      mapped_bytes.fetch_sub(bytes, std::memory_order_relaxed);
    }
    return done;
  }
  // `held`: how many bytes of [from, to) have addresses now (lowering the break may cross holes).
  [[nodiscard]] bool raise_break(std::uintptr_t from, std::uintptr_t to, std::size_t held) noexcept {
    if (!os::set_break(to)) return false;
    grows.add(to - from);
    mapped_bytes.fetch_add(held, std::memory_order_relaxed);
    return true;
  }
  [[nodiscard]] bool lower_break(std::uintptr_t from, std::uintptr_t to, std::size_t held) noexcept {
    if (!os::set_break(to)) return false;
    trims.add(from - to);
    mapped_bytes.fetch_sub(held, std::memory_order_relaxed);
    return true;
  }

 private:
  void note_map(std::size_t bytes) noexcept {
    maps.add(bytes);
    mapped_bytes.fetch_add(bytes, std::memory_order_relaxed);
  }
};

}  // namespace brkmmap
