// Which large blocks live, so that the recorder can ask now and then, and before it is given up, how much of
// one was written to. A table of fixed size in four-way buckets; what has no place in its bucket is not
// known, and counts as written to as a whole. Threads share it without a lock: a large request and its free
// take two and one atomic read-modify-writes, any other free the load of one byte. Above: recording.h. Below:
// mincore(2).
#pragma once

#include <cstddef>
#include <cstdint>

namespace heapmark::recorder {

// Twelve pages: more than the windows and buffers of 32 KiB that many programs ask for and give up all the
// time, of which there is little to gain.
inline constexpr std::size_t kLargeBytes = 48 * 1024;

// All zeros: empty.
class LargeBlocks {
 public:
  // False: no large block lies there.
  [[nodiscard]] bool may_hold(std::uintptr_t address) const {
    return __atomic_load_n(&used_[bucket_of(address)], __ATOMIC_RELAXED) != 0;
  }

  // One that is known of that address was freed past the recorder: this one takes its place.
  void add(std::uintptr_t address, std::size_t bytes);

  // Forgets the block. Returns its size; 0 where it is not known.
  std::size_t take(std::uintptr_t address);

  // Calls see(address, bytes, pages) of each, or in turn of so many that what it returns adds up to about
  // `most`, while other threads may add and take some; `pages` is 0 at first and what see() left there the
  // last time.
  template <typename See>
  void each(std::size_t most, const See& see) {
    std::size_t bucket = __atomic_load_n(&next_bucket_, __ATOMIC_RELAXED), seen = 0;
    for (std::size_t passed = 0; passed < kBuckets && seen < most;
         ++passed, bucket = (bucket + 1) % kBuckets) {
      if (__atomic_load_n(&used_[bucket], __ATOMIC_RELAXED) == 0) continue;
      for (unsigned way = 0; way < kWays; ++way) {
        const Entry& entry = entries_[bucket][way];
        const std::uintptr_t address = __atomic_load_n(&entry.address, __ATOMIC_ACQUIRE);
        const std::size_t bytes = __atomic_load_n(&entry.bytes, __ATOMIC_RELAXED);
        if (address == 0 || bytes == 0) continue;
        seen += see(address, bytes, pages_[bucket][way]);
      }
    }
    __atomic_store_n(&next_bucket_, bucket, __ATOMIC_RELAXED);
  }

 private:
  static constexpr unsigned kBucketBits = 10, kWays = 4;
  static constexpr std::size_t kBuckets = std::size_t{1} << kBucketBits;
  struct Entry {
    std::uintptr_t address;  // 0: free
    std::size_t bytes;       // 0 while the entry is being filled
  };

  // By the page: allocators lay large blocks at the same place within one. Multiplicative hashing (Knuth, The
  // Art of Computer Programming 6.4), as some lay them at multiples of megabytes.
  [[nodiscard]] static std::size_t bucket_of(std::uintptr_t address) {
    return (static_cast<std::uint32_t>(address >> 12) * 0x9e3779b1U) >> (32 - kBucketBits);
  }

  unsigned char used_[kBuckets];  // bit w: entry w of the bucket
  std::size_t next_bucket_;       // for each()
  alignas(64) Entry entries_[kBuckets][kWays];
  std::uint32_t pages_[kBuckets][kWays];  // of each entry; used by one thread at a time
};

// How many pages of 4 KiB of a block have memory: mincore(2) tells it of anonymous memory. They are those
// that were written to, and those that were only read or had memory from a block before it. The first and the
// last may be shared with a neighbour. Of a block beyond 2 GiB, the rest is looked at in 512 samples of 4
// MiB. False where the kernel does not tell (a seccomp filter). Changes errno.
[[nodiscard]] bool pages_with_memory(std::uintptr_t address, std::size_t bytes, std::uint64_t& pages);

}  // namespace heapmark::recorder
