// See fake_os.h. Memory is real, so that what lies on it can be written; addresses given back are unusable.
#include "allocators/brkmmap/tests/fake_os.h"

#include <sys/mman.h>
#include <sys/prctl.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <mutex>

#include "allocators/brkmmap/os.h"
#include "allocators/brkmmap/pages.h"

namespace brkmmap {
namespace {

constexpr std::size_t kPageBytes = 4096;
constexpr std::size_t kBreakRange = std::size_t{256} << 20;
constexpr std::size_t kMappings = std::size_t{16} << 30;  // no address is used twice
constexpr std::size_t kRange = kBreakRange + kMappings;

std::mutex g_mutex;                                   // of all below
std::uintptr_t g_base = 0, g_break = 0, g_below = 0;  // mappings go downwards, as in Linux
unsigned char* g_held = nullptr;                      // one byte a page of the range
std::size_t g_until_failure = 0;
fake::Plan g_plan;
std::size_t g_counted = 0;  // calls that the plan is about
std::size_t g_calls = 0, g_refusals = 0, g_held_bytes = 0;
std::size_t g_call_limit = 0;  // 0: none
bool g_limit_passed = false, g_growth = false, g_has_huge_pages = true;
std::size_t g_huge_bytes = 0;
std::uint64_t g_time = 1;

bool is_planned(fake::Call call, std::uintptr_t at, std::size_t bytes) {
  if ((g_plan.calls & call) == 0 || at >= g_plan.high || at + bytes <= g_plan.low) return false;
  ++g_counted;
  if (g_counted < g_plan.from) return false;
  if ((g_counted - g_plan.from) % std::max<std::size_t>(g_plan.period, 1) >= g_plan.burst) return false;
  std::uint64_t random = (g_plan.seed + g_counted) * 0x9E3779B97F4A7C15;  // splitmix64's first steps
  random = (random ^ (random >> 30)) * 0xBF58476D1CE4E5B9;
  return (random >> 32) % 1000 < g_plan.permille;
}

// Counts the call; whether it is to fail.
bool fails(fake::Call call, std::uintptr_t at, std::size_t bytes) {
  ++g_calls;
  if (g_call_limit != 0 && g_calls > g_call_limit) {
    g_limit_passed = true;
    g_plan = {};
  }
  const bool once = g_until_failure != 0 && --g_until_failure == 0;
  const bool failed = is_planned(call, at, bytes) || once;
  g_refusals += failed;
  return failed;
}

unsigned char* held(std::uintptr_t at) {
  return g_held + (at - g_base) / kPageBytes;
}

bool protect(std::uintptr_t at, std::size_t bytes, int flags) {
  if (bytes == 0) return true;
  if (mmap(reinterpret_cast<void*>(at), bytes, flags, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE,
           -1, 0) == MAP_FAILED)
    return false;
  const unsigned char now = flags == PROT_NONE ? 0 : 1;
  for (unsigned char* page = held(at); page != held(at) + bytes / kPageBytes; ++page) {
    g_held_bytes += now * kPageBytes;
    g_held_bytes -= *page * kPageBytes;
    *page = now;
  }
  return true;
}

void* map_anywhere(std::size_t bytes) {
  if (g_below < g_base + kBreakRange + bytes || !protect(g_below - bytes, bytes, PROT_READ | PROT_WRITE))
    return nullptr;
  void* at = reinterpret_cast<void*>(g_below - bytes);
  g_below -= bytes + kPageBytes;
  return at;
}

bool is_unused(std::uintptr_t at, std::size_t bytes) {
  return at >= g_base && at + bytes <= g_base + kRange &&
         std::all_of(held(at), held(at) + bytes / kPageBytes, [](unsigned char page) { return page == 0; });
}

}  // namespace

namespace fake {

void reset() noexcept {
  const std::lock_guard lock(g_mutex);
  void* base = g_base != 0 ? reinterpret_cast<void*>(g_base) : nullptr;
  base = mmap(base, kRange, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | (g_base ? MAP_FIXED : 0),
              -1, 0);
  void* pages =
      mmap(g_held, kRange / kPageBytes, PROT_READ | PROT_WRITE,
           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | (g_held != nullptr ? MAP_FIXED : 0), -1, 0);
  g_held = static_cast<unsigned char*>(pages);
  g_base = reinterpret_cast<std::uintptr_t>(base);
  g_break = g_base + kPageBytes + 128;  // not at a page's start
  g_below = g_base + kRange;
  g_until_failure = g_counted = g_calls = g_refusals = g_held_bytes = g_call_limit = 0;
  g_plan = {};
  g_limit_passed = g_growth = false;
  g_has_huge_pages = true;
  g_huge_bytes = 0;
  g_time = 1;
  // Huge pages would be resident where nothing was written. Where it is refused, they are: no harm but to
  // resident_bytes().
  (void)prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
}
void fail_at(std::size_t call) noexcept {
  const std::lock_guard lock(g_mutex);
  g_until_failure = call;
}
void refuse(const Plan& plan) noexcept {
  const std::lock_guard lock(g_mutex);
  g_plan = plan;
  g_counted = 0;
}
void limit_calls(std::size_t calls) noexcept {
  const std::lock_guard lock(g_mutex);
  g_call_limit = g_calls + calls;
  g_limit_passed = false;
}
bool limit_was_passed() noexcept {
  const std::lock_guard lock(g_mutex);
  return g_limit_passed;
}
std::size_t calls() noexcept {
  const std::lock_guard lock(g_mutex);
  return g_calls;
}
std::size_t refusals() noexcept {
  const std::lock_guard lock(g_mutex);
  return g_refusals;
}
std::size_t held_bytes() noexcept {
  const std::lock_guard lock(g_mutex);
  return g_held_bytes;
}
std::size_t resident_bytes() noexcept {
  const std::lock_guard lock(g_mutex);
  constexpr std::size_t kAtOnce = 4096;
  unsigned char pages[kAtOnce];
  std::size_t resident = 0;
  for (std::uintptr_t at = g_base; at < g_base + kRange; at += kAtOnce * kPageBytes) {
    if (at == g_base + kBreakRange)
      at = std::max(at, g_below / kPageBytes * kPageBytes);  // unused in between
    const std::size_t count = std::min(kAtOnce, (g_base + kRange - at) / kPageBytes);
    if (count == 0 || mincore(reinterpret_cast<void*>(at), count * kPageBytes, pages) != 0) continue;
    for (std::size_t page = 0; page < count; ++page)
      if ((pages[page] & 1) != 0) resident += kPageBytes;
  }
  return resident;
}
std::size_t huge_bytes() noexcept {
  const std::lock_guard lock(g_mutex);
  return g_huge_bytes;
}
void have_no_huge_pages() noexcept {
  const std::lock_guard lock(g_mutex);
  g_has_huge_pages = false;
}
std::size_t left_bytes() noexcept {
  const std::lock_guard lock(g_mutex);
  return g_below - std::min(g_below, g_base + kBreakRange);
}
void pass_time(std::uint64_t milliseconds) noexcept {
  const std::lock_guard lock(g_mutex);
  g_time += milliseconds;
}
void allow_growth() noexcept {
  const std::lock_guard lock(g_mutex);
  g_growth = true;
}
void foreign_sbrk(std::size_t bytes) noexcept {
  const std::lock_guard lock(g_mutex);
  g_break += bytes;
}
void map_below(std::uintptr_t address) noexcept {
  const std::lock_guard lock(g_mutex);
  g_below = address;
}
std::uintptr_t mappings() noexcept {
  const std::lock_guard lock(g_mutex);
  return g_base + kBreakRange;
}
std::uintptr_t next_mapping_end() noexcept {
  const std::lock_guard lock(g_mutex);
  return g_below;
}

}  // namespace fake

namespace os {

void* map(std::size_t bytes) noexcept {
  const std::lock_guard lock(g_mutex);
  return fails(fake::kMap, g_below - std::min<std::uintptr_t>(g_below, bytes), bytes) ? nullptr
                                                                                      : map_anywhere(bytes);
}
bool map_at(std::uintptr_t at, std::size_t bytes) noexcept {
  const std::lock_guard lock(g_mutex);
  return !fails(fake::kMapAt, at, bytes) && protect(at, bytes, PROT_READ | PROT_WRITE);
}
bool unmap(std::uintptr_t at, std::size_t bytes) noexcept {
  const std::lock_guard lock(g_mutex);
  return !fails(fake::kUnmap, at, bytes) && protect(at, bytes, PROT_NONE);
}
bool purge(std::uintptr_t at, std::size_t bytes) noexcept {
  const std::lock_guard lock(g_mutex);
  return !fails(fake::kPurge, at, bytes) && madvise(reinterpret_cast<void*>(at), bytes, MADV_DONTNEED) == 0;
}
bool has_huge_pages() noexcept {
  const std::lock_guard lock(g_mutex);
  return g_has_huge_pages;
}
// What is not a place of a huge page, or was written already, is a mistake of the caller's.
bool fault_in_huge_pages(std::uintptr_t at, std::size_t bytes) noexcept {
  const std::lock_guard lock(g_mutex);
  if (at % kHugePage != 0 || bytes % kHugePage != 0 || bytes == 0) std::abort();
  const bool failed = fails(fake::kHuge, at, bytes);
  if (!failed) g_huge_bytes += bytes;
  for (std::uintptr_t page = at; page < at + bytes; page += failed ? kHugePage : kPageBytes) {
    if (*held(page) == 0 || *reinterpret_cast<volatile char*>(page) != 0) std::abort();
    *reinterpret_cast<volatile char*>(page) = 0;
  }
  return !failed;
}
void* remap(std::uintptr_t from, std::size_t old_bytes, std::size_t new_bytes) noexcept {
  const std::lock_guard lock(g_mutex);
  if (!g_growth || fails(fake::kRemap, from, old_bytes)) return nullptr;
  void* to = map_anywhere(new_bytes);
  if (to == nullptr) return nullptr;
  std::memcpy(to, reinterpret_cast<const void*>(from), std::min(old_bytes, new_bytes));
  return protect(from, old_bytes, PROT_NONE) ? to : nullptr;
}
bool extend(std::uintptr_t at, std::size_t old_bytes, std::size_t new_bytes) noexcept {
  const std::lock_guard lock(g_mutex);
  if (!g_growth || fails(fake::kExtend, at, new_bytes)) return false;
  return is_unused(at + old_bytes, new_bytes - old_bytes) &&
         protect(at + old_bytes, new_bytes - old_bytes, PROT_READ | PROT_WRITE);
}
bool move(std::uintptr_t from, std::size_t bytes, std::uintptr_t to) noexcept {
  const std::lock_guard lock(g_mutex);
  if (fails(fake::kMove, from, bytes)) return false;
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
  const std::lock_guard lock(g_mutex);
  return g_time;
}
std::uintptr_t program_break() noexcept {
  const std::lock_guard lock(g_mutex);
  return g_break;
}
bool set_break(std::uintptr_t to) noexcept {
  const std::lock_guard lock(g_mutex);
  const bool raised = to > g_break;
  if (fails(raised ? fake::kRaise : fake::kLower, std::min(to, g_break),
            raised ? to - g_break : g_break - to))
    return false;
  if (to > g_base + kBreakRange) return false;
  const std::uintptr_t from = (g_break + kPageBytes - 1) / kPageBytes * kPageBytes;
  if (to > from ? !protect(from, to - from, PROT_READ | PROT_WRITE) : !protect(to, from - to, PROT_NONE))
    return false;
  g_break = to;
  return true;
}

}  // namespace os
}  // namespace brkmmap
