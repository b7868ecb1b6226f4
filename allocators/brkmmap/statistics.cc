// What the heap says of itself: brkmmap_stats, and glibc's mallinfo, mallinfo2 and malloc_stats made from it.
// Takes every lock in the allocator's order, allocates nothing.
#include <malloc.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "allocators/brkmmap/brkmmap.h"
#include "allocators/brkmmap/thread.h"

#define BRKMMAP_EXPORT extern "C" __attribute__((visibility("default")))

using namespace brkmmap;

BRKMMAP_EXPORT void brkmmap_stats(struct brkmmap_stats* out) {
  std::size_t slab_bytes = 0;
  std::size_t object_bytes = 0;
  for (Slabs& slabs : heap.shards) slabs.lock().lock();
  heap.lock.lock();
  for (const Slabs& slabs : heap.shards) {
    slab_bytes += slabs.slab_bytes();
    object_bytes += slabs.object_bytes();
  }
  // Frees that other threads have still to do, some objects each, count as live.
  const std::size_t cached_large = heap.large_cached_bytes.load(std::memory_order_relaxed);
  const std::size_t in_threads =
      ThreadCache::total_bytes() + cached_large + thread.late_bytes() + heap.shelf.bytes();
  const std::size_t taken = heap.pages.out_bytes() + heap.mappings.bytes();
  const std::size_t objects = taken - slab_bytes + object_bytes;
  *out = {};
  out->live_bytes = objects > in_threads ? objects - in_threads : 0;
  out->cached_bytes = taken - out->live_bytes;
  out->free_bytes = heap.pages.free_bytes() + heap.kernel.retained.kept_bytes.load(std::memory_order_relaxed);
  out->metadata_bytes = heap.kernel.metadata_bytes.load(std::memory_order_relaxed);
  out->mapped_bytes = heap.kernel.mapped_bytes.load(std::memory_order_relaxed);
  const BrkSource& brk = heap.pages.brk();
  out->heap_bytes = brk.end() - brk.first() - heap.pages.hole_bytes();
  const auto copy = [](const Tally& tally, std::uint64_t* calls, std::uint64_t* bytes) {
    *calls = tally.calls.load(std::memory_order_relaxed);
    if (bytes != nullptr) *bytes = tally.bytes.load(std::memory_order_relaxed);
  };
  copy(heap.kernel.grows, &out->brk_grows, &out->brk_grow_bytes);
  copy(heap.kernel.trims, &out->trims, &out->trim_bytes);
  copy(heap.kernel.purges, &out->purges, &out->purge_bytes);
  copy(heap.kernel.releases, &out->releases, &out->release_bytes);
  copy(heap.kernel.maps, &out->mmaps, &out->mmap_bytes);
  copy(heap.kernel.remaps, &out->mremaps, nullptr);
  out->failed_requests = heap.failed_requests.load(std::memory_order_relaxed);
  heap.lock.unlock();
  for (Slabs& slabs : heap.shards) slabs.lock().unlock();
}

BRKMMAP_EXPORT struct mallinfo2 mallinfo2(void) {
  struct brkmmap_stats stats;
  brkmmap_stats(&stats);
  struct mallinfo2 info = {};
  info.hblkhd = heap.mappings.bytes() - heap.large_cached_mapped_bytes.load(std::memory_order_relaxed);
  info.hblks = heap.mappings.count() - heap.large_cached_mappings.load(std::memory_order_relaxed);
  info.arena = stats.mapped_bytes - info.hblkhd - stats.metadata_bytes;
  info.uordblks = stats.live_bytes - info.hblkhd;
  info.fordblks = stats.free_bytes + stats.cached_bytes;
  heap.lock.lock();
  info.ordblks = heap.pages.free_ranges();
  info.keepcost = heap.pages.top_bytes();
  heap.lock.unlock();
  return info;
}

BRKMMAP_EXPORT struct mallinfo mallinfo(void) {
  const struct mallinfo2 wide = mallinfo2();
  const auto narrow = [](std::size_t value) { return static_cast<int>(value); };  // wraps, as glibc's does
  struct mallinfo info = {};
  info.arena = narrow(wide.arena);
  info.ordblks = narrow(wide.ordblks);
  info.hblks = narrow(wide.hblks);
  info.hblkhd = narrow(wide.hblkhd);
  info.uordblks = narrow(wide.uordblks);
  info.fordblks = narrow(wide.fordblks);
  info.keepcost = narrow(wide.keepcost);
  return info;
}

BRKMMAP_EXPORT void malloc_stats(void) {
  struct brkmmap_stats s;
  brkmmap_stats(&s);
  char text[512];
  const auto n = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
  const int length = std::snprintf(
      text, sizeof text,
      "brkmmap: live %llu + cached %llu + free %llu + metadata %llu = mapped %llu bytes, %llu in the brk "
      "heap\n"
      "brkmmap: grows %llu, trims %llu, purges %llu, releases %llu, mmaps %llu, mremaps %llu, failed %llu\n",
      n(s.live_bytes), n(s.cached_bytes), n(s.free_bytes), n(s.metadata_bytes), n(s.mapped_bytes),
      n(s.heap_bytes), n(s.brk_grows), n(s.trims), n(s.purges), n(s.releases), n(s.mmaps), n(s.mremaps),
      n(s.failed_requests));
  // Not write(2): that is a cancellation point, which malloc_stats must not be.
  if (syscall(SYS_write, STDERR_FILENO, text, static_cast<std::size_t>(length)) < 0) return;
}

// The elements that glibc's has for the whole process (malloc_info(3)), and this allocator's own. May
// allocate where `stream` does.
BRKMMAP_EXPORT int malloc_info(int options, FILE* stream) {
  if (options != 0) {
    errno = EINVAL;
    return -1;
  }
  struct brkmmap_stats s;
  brkmmap_stats(&s);
  const struct mallinfo2 info = mallinfo2();
  const auto n = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
  const int written = std::fprintf(
      stream,
      "<malloc version=\"1\">\n"
      "<total type=\"rest\" count=\"%llu\" size=\"%llu\"/>\n"
      "<total type=\"mmap\" count=\"%llu\" size=\"%llu\"/>\n"
      "<system type=\"current\" size=\"%llu\"/>\n"
      "<brkmmap live=\"%llu\" cached=\"%llu\" free=\"%llu\" metadata=\"%llu\" mapped=\"%llu\" "
      "heap=\"%llu\"/>\n"
      "<event type=\"trim\" count=\"%llu\" size=\"%llu\"/>\n"
      "<event type=\"purge\" count=\"%llu\" size=\"%llu\"/>\n"
      "<event type=\"release\" count=\"%llu\" size=\"%llu\"/>\n"
      "</malloc>\n",
      n(info.ordblks), n(info.fordblks), n(info.hblks), n(info.hblkhd), n(s.mapped_bytes), n(s.live_bytes),
      n(s.cached_bytes), n(s.free_bytes), n(s.metadata_bytes), n(s.mapped_bytes), n(s.heap_bytes), n(s.trims),
      n(s.trim_bytes), n(s.purges), n(s.purge_bytes), n(s.releases), n(s.release_bytes));
  return written < 0 ? -1 : 0;
}
