// See large_blocks.h.
#include "workloads/trace/recorder/large_blocks.h"

#include <sys/syscall.h>
#include <unistd.h>

#include "workloads/contract/trace/format.h"

namespace heapmark::recorder {
namespace {

// Asked for at a time: the answer, a byte a page, lies on the stack, which may be a small one.
constexpr std::size_t kPiece = 1024;
constexpr std::size_t kExactPieces = 512, kSamples = 512;

// Adds the pages that have memory of `count` (at most kPiece) from `begin` on.
bool add_pages_there(std::uintptr_t begin, std::size_t count, std::size_t page_bytes, std::uint64_t& there) {
  unsigned char pages[kPiece];
  if (syscall(SYS_mincore, begin, count * page_bytes, pages) != 0) return false;
  for (std::size_t page = 0; page < count; ++page) there += pages[page] & 1;
  return true;
}

std::size_t smaller(std::size_t one, std::size_t other) {
  return one < other ? one : other;
}

}  // namespace

void LargeBlocks::add(std::uintptr_t address, std::size_t bytes) {
  const std::size_t bucket = bucket_of(address);
  for (Entry& entry : entries_[bucket])
    if (__atomic_load_n(&entry.address, __ATOMIC_RELAXED) == address) {
      __atomic_store_n(&entry.bytes, bytes, __ATOMIC_RELAXED);
      pages_[bucket][&entry - entries_[bucket]] = 0;
      return;
    }
  for (unsigned way = 0; way < kWays; ++way) {
    Entry& entry = entries_[bucket][way];
    std::uintptr_t none = 0;
    if (__atomic_load_n(&entry.address, __ATOMIC_RELAXED) != 0 ||
        !__atomic_compare_exchange_n(&entry.address, &none, address, false, __ATOMIC_ACQUIRE,
                                     __ATOMIC_RELAXED))
      continue;
    pages_[bucket][way] = 0;
    __atomic_store_n(&entry.bytes, bytes, __ATOMIC_RELEASE);
    __atomic_fetch_or(&used_[bucket], static_cast<unsigned char>(1U << way), __ATOMIC_RELAXED);
    return;
  }
}

std::size_t LargeBlocks::take(std::uintptr_t address) {
  const std::size_t bucket = bucket_of(address);
  for (unsigned way = 0; way < kWays; ++way) {
    Entry& entry = entries_[bucket][way];
    if (__atomic_load_n(&entry.address, __ATOMIC_RELAXED) != address) continue;
    const std::size_t bytes = __atomic_load_n(&entry.bytes, __ATOMIC_RELAXED);
    __atomic_store_n(&entry.bytes, 0, __ATOMIC_RELAXED);
    __atomic_fetch_and(&used_[bucket], static_cast<unsigned char>(~(1U << way)), __ATOMIC_RELAXED);
    __atomic_store_n(&entry.address, 0, __ATOMIC_RELEASE);  // last: another thread may take it from now on
    return bytes;
  }
  return 0;
}

bool pages_with_memory(std::uintptr_t address, std::size_t bytes, std::uint64_t& pages) {
  static_assert(trace::kPageBytes == 4096);
  const auto page_bytes = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  const std::uintptr_t begin = address / page_bytes * page_bytes;
  const std::size_t count = (address - begin + bytes + page_bytes - 1) / page_bytes;
  const std::size_t exact = smaller(count, kExactPieces * kPiece);
  std::uint64_t there = 0;
  for (std::size_t at = 0; at < exact; at += kPiece)
    if (!add_pages_there(begin + at * page_bytes, smaller(kPiece, exact - at), page_bytes, there))
      return false;
  if (const std::size_t rest = count - exact; rest > 0) {
    const std::size_t stride = (rest / kPiece / kSamples + 1) * kPiece;
    std::uint64_t sampled = 0, asked = 0;
    for (std::size_t at = 0; at < rest; at += stride) {
      const std::size_t here = smaller(kPiece, rest - at);
      if (!add_pages_there(begin + (exact + at) * page_bytes, here, page_bytes, sampled)) return false;
      asked += here;
    }
    there += static_cast<std::uint64_t>(static_cast<double>(sampled) / static_cast<double>(asked) *
                                        static_cast<double>(rest));
  }
  pages = there * (page_bytes / trace::kPageBytes);
  const std::uint64_t most = trace::pages_of(bytes);
  if (pages > most) pages = most;
  return true;
}

}  // namespace heapmark::recorder
