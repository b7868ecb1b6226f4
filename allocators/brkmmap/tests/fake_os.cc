// See fake_os.h. Memory is real, so that what lies on it can be written; addresses given back are unusable.
#include "allocators/brkmmap/tests/fake_os.h"

#include <sys/mman.h>

#include "allocators/brkmmap/os.h"

namespace brkmmap {
namespace {

constexpr std::size_t kHalf = std::size_t{256} << 20;  // the break's range, then the mappings'
std::uintptr_t g_base = 0, g_break = 0, g_below = 0;   // mappings go downwards, as in Linux
std::size_t g_until_failure = 0;

bool fails() {
  return g_until_failure != 0 && --g_until_failure == 0;
}

bool protect(std::uintptr_t at, std::size_t bytes, int flags) {
  return bytes == 0 || mmap(reinterpret_cast<void*>(at), bytes, flags,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0) != MAP_FAILED;
}

}  // namespace

namespace fake {

void reset() noexcept {
  constexpr int kReserve = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  if (g_base == 0) {  // an odd multiple of half a region of the page map: the next begins amid the mappings
    const auto any = reinterpret_cast<std::uintptr_t>(mmap(nullptr, 3 * kHalf, PROT_NONE, kReserve, -1, 0));
    g_base = (any + kHalf / 2 + kHalf - 1) / kHalf * kHalf - kHalf / 2;
  }
  mmap(reinterpret_cast<void*>(g_base), 2 * kHalf, PROT_NONE, kReserve | MAP_FIXED, -1, 0);
  g_break = g_base + 4096 + 128;  // not at a page's start
  g_below = g_base + 2 * kHalf;
  g_until_failure = 0;
}
void fail_at(std::size_t call) noexcept {
  g_until_failure = call;
}
void foreign_sbrk(std::size_t bytes) noexcept {
  g_break += bytes;
}
void map_below(std::uintptr_t address) noexcept {
  g_below = address;
}
std::uintptr_t mappings() noexcept {
  return g_base + kHalf;
}

}  // namespace fake

namespace os {

void* map(std::size_t bytes) noexcept {
  if (fails() || g_below < g_base + kHalf + bytes || !protect(g_below - bytes, bytes, PROT_READ | PROT_WRITE))
    return nullptr;
  void* at = reinterpret_cast<void*>(g_below - bytes);
  g_below -= bytes + 4096;
  return at;
}
bool map_at(std::uintptr_t at, std::size_t bytes) noexcept {
  return !fails() && protect(at, bytes, PROT_READ | PROT_WRITE);
}
bool unmap(std::uintptr_t at, std::size_t bytes) noexcept {
  return !fails() && protect(at, bytes, PROT_NONE);
}
bool purge(std::uintptr_t at, std::size_t bytes) noexcept {
  return !fails() && madvise(reinterpret_cast<void*>(at), bytes, MADV_DONTNEED) == 0;
}
void want_huge_pages(std::uintptr_t, std::size_t) noexcept {}
void* remap(std::uintptr_t, std::size_t, std::size_t) noexcept {
  return nullptr;
}
std::uint64_t milliseconds() noexcept {
  return 1;
}
std::uintptr_t program_break() noexcept {
  return g_break;
}
bool set_break(std::uintptr_t to) noexcept {
  if (fails() || to > g_base + kHalf) return false;
  const std::uintptr_t from = (g_break + 4095) & ~std::uintptr_t{4095};
  if (to > from ? !protect(from, to - from, PROT_READ | PROT_WRITE) : !protect(to, from - to, PROT_NONE))
    return false;
  g_break = to;
  return true;
}

}  // namespace os
}  // namespace brkmmap
