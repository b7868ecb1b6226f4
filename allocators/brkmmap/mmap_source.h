// Blocks over the mmap threshold: each a mapping of its own, given back alone, grown and shrunk with mremap.
// What the program frees and asks for again soon is kept for a while instead (kept_mappings), within a share
// of what lives; the policy says how much. Takes the heap's lock itself, never around munmap. Beside: the
// page heap, whose free ranges give way when the kernel refuses. All sizes are whole pages.
#pragma once

#include "allocators/brkmmap/kept_mappings.h"
#include "allocators/brkmmap/lock.h"
#include "allocators/brkmmap/page_heap.h"

namespace brkmmap {

class MmapSource {
 public:
  constexpr MmapSource(Kernel& kernel, Metadata& metadata, PageMap& map, PageHeap& pages,
                       const Tunables& tunables, Hysteresis& heap_hysteresis, Lock& lock) noexcept
      : kernel_(kernel),
        metadata_(metadata),
        map_(map),
        pages_(pages),
        tunables_(tunables),
        heap_hysteresis_(heap_hysteresis),
        lock_(lock),
        kept_(kernel, metadata) {}

  // A kMapped block; null where the kernel refuses. `alignment` in bytes: a power of two. What lies behind
  // its first *dirty_bytes is known to read as zero. `fresh`: all of it, since clearing kept pages would make
  // them resident whether the program needs them or not.
  [[nodiscard]] void* allocate(std::size_t pages, std::size_t alignment, std::size_t* dirty_bytes,
                               bool fresh = false) noexcept;
  void free(Span* span) noexcept;
  // The block in its new size, moved or not; null, and nothing changed, where it must be copied.
  [[nodiscard]] void* resize(Span* span, std::size_t pages) noexcept;
  // Gives back what is kept beyond what the policy allows now. To be called where the program frees; looks
  // closely only where so much cannot be allowed, `live_bytes` being in use lately, and from time to time.
  void settle(std::size_t live_bytes) noexcept {
    const std::size_t kept = kernel_.retained.kept_bytes.load(std::memory_order_relaxed);
    if (kept == 0) [[likely]]
      return;
    constexpr std::uint32_t kTimes = 256;
    const std::uint32_t times = settled_.load(std::memory_order_relaxed) + 1;
    settled_.store(times, std::memory_order_relaxed);
    if (kept > most_slack(live_bytes, tunables_.keep_share()) || times % kTimes == 0) shed(false);
  }
  // The program rests: gives back all that is kept, and forgets why it was.
  void rest() noexcept {
    {
      Guard guard(lock_);
      hysteresis_.rest();
    }
    clear();
  }
  // Gives back all that is kept.
  void clear() noexcept {
    if (kernel_.retained.kept_bytes.load(std::memory_order_relaxed) != 0) shed(true);
  }

  std::size_t bytes() const noexcept { return bytes_.load(std::memory_order_relaxed); }
  std::size_t count() const noexcept { return count_.load(std::memory_order_relaxed); }

 private:
  void* from_kernel(std::size_t bytes, std::size_t alignment) noexcept;
  Span* from_kept(std::size_t bytes, std::size_t* dirty_bytes) noexcept;
  void* enter(Span* span) noexcept;
  void count_parts(const Span* span, std::ptrdiff_t sign) noexcept;
  bool shrink(Span* span, std::size_t units) noexcept;
  std::size_t allowance() noexcept;
  void shed(bool all) noexcept;
  void unmap(Span* pieces) noexcept;
  void took(std::size_t bytes) noexcept;
  void give_back(std::uintptr_t start, std::size_t bytes) noexcept;

  Kernel& kernel_;
  Metadata& metadata_;
  PageMap& map_;
  PageHeap& pages_;
  const Tunables& tunables_;
  Hysteresis& heap_hysteresis_;  // counts mappings too: its slack raises the mmap threshold
  Lock& lock_;
  Hysteresis hysteresis_;  // of mappings alone: how much to keep
  KeptMappings kept_;
  std::atomic<std::uint32_t> settled_{0};
  std::atomic<std::size_t> bytes_{0};
  std::atomic<std::size_t> count_{0};
};

}  // namespace brkmmap
