// See fake_os.h. Memory is real, so that what lies on it can be written; addresses given back are unusable.
#include "allocators/brkmmap/tests/fake_os.h"

#include <sys/mman.h>

#include <cstring>

#include "allocators/brkmmap/os.h"

namespace brkmmap {
namespace {

constexpr std::size_t kBreakRange = std::size_t{256} << 20;
constexpr std::size_t kMappings = std::size_t{16} << 30;  // no address is used twice
std::uintptr_t g_base = 0, g_break = 0, g_below = 0;      // mappings go downwards, as in Linux
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
  void* base = g_base != 0 ? reinterpret_cast<void*>(g_base) : nullptr;
  base = mmap(base, kBreakRange + kMappings, PROT_NONE,
              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | (g_base ? MAP_FIXED : 0), -1, 0);
  g_base = reinterpret_cast<std::uintptr_t>(base);
  g_break = g_base + 4096 + 128;  // not at a page's start
  g_below = g_base + kBreakRange + kMappings;
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
  return g_base + kBreakRange;
}

}  // namespace fake

namespace os {

void* map(std::size_t bytes) noexcept {
  if (fails() || g_below < g_base + kBreakRange + bytes ||
      !protect(g_below - bytes, bytes, PROT_READ | PROT_WRITE))
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
bool extend(std::uintptr_t, std::size_t, std::size_t) noexcept {
  return false;
}
bool move(std::uintptr_t from, std::size_t bytes, std::uintptr_t to) noexcept {
  if (fails()) return false;
  std::memcpy(reinterpret_cast<void*>(to), reinterpret_cast<const void*>(from), bytes);
  return protect(from, bytes, PROT_NONE);
}
std::size_t most_bytes() noexcept {
  return std::size_t{1} << 47;
}
std::size_t most_mappings() noexcept {
  return 65530;
}
std::uint64_t milliseconds() noexcept {
  return 1;
}
std::uintptr_t program_break() noexcept {
  return g_break;
}
bool set_break(std::uintptr_t to) noexcept {
  if (fails() || to > g_base + kBreakRange) return false;
  const std::uintptr_t from = (g_break + 4095) & ~std::uintptr_t{4095};
  if (to > from ? !protect(from, to - from, PROT_READ | PROT_WRITE) : !protect(to, from - to, PROT_NONE))
    return false;
  g_break = to;
  return true;
}

}  // namespace os
}  // namespace brkmmap
