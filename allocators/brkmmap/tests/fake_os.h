// A kernel for the tests: the break and the mappings are slices of one reserved range, and any call can be
// made to fail, by a plan. Linked in place of os_linux.cc. It keeps its own account of what the process
// holds, page by page, against which the allocator's is checked. Any thread may call.
#pragma once

#include <cstddef>
#include <cstdint>

namespace brkmmap::fake {

enum Call : unsigned {
  kMap = 1,
  kMapAt = 2,
  kUnmap = 4,
  kPurge = 8,
  kRemap = 16,
  kExtend = 32,
  kMove = 64,
  kRaise = 128,
  kLower = 256,
  kHuge = 512,
  kTaking = kMap | kMapAt | kRemap | kExtend | kRaise | kHuge,  // give the process more
  kGiving = kUnmap | kPurge | kLower,                           // take from it
  kAny = kTaking | kGiving | kMove,
};

// Which calls fail. Of the calls named, those that touch [low, high) are counted from 1 from now on.
struct Plan {
  unsigned calls = 0;        // of Call; 0: none fails
  std::size_t from = 1;      // the first that may fail
  std::size_t period = 1;    // of so many calls each...
  std::size_t burst = 1;     // ...the first so many may fail
  unsigned permille = 1000;  // of those that may, this share does
  std::uint64_t seed = 1;    // which ones
  std::uintptr_t low = 0, high = UINTPTR_MAX;
};

void reset() noexcept;                    // an empty process, no plan, time 1, no growth in place
void fail_at(std::size_t call) noexcept;  // the call-th from now on fails, once; 0: none
void refuse(const Plan& plan) noexcept;   // in place of the last plan; Plan(): recovers
// After so many calls more the plan ends, so that what calls for ever ends as well, and is found.
void limit_calls(std::size_t calls) noexcept;
[[nodiscard]] bool limit_was_passed() noexcept;
[[nodiscard]] std::size_t calls() noexcept;           // since the reset, refused ones too
[[nodiscard]] std::size_t refusals() noexcept;        // of these
[[nodiscard]] std::size_t held_bytes() noexcept;      // whose addresses the process has
[[nodiscard]] std::size_t resident_bytes() noexcept;  // that have pages
[[nodiscard]] std::size_t huge_bytes() noexcept;      // that huge pages were faulted in for, since the reset
[[nodiscard]] std::size_t left_bytes() noexcept;  // that mappings can still have: no address is used twice

void pass_time(std::uint64_t milliseconds) noexcept;
void have_no_huge_pages() noexcept;
void allow_growth() noexcept;  // remap and extend, which always fail otherwise, work from now on
void foreign_sbrk(std::size_t bytes) noexcept;
void map_below(std::uintptr_t address) noexcept;   // where the next mapping ends
[[nodiscard]] std::uintptr_t mappings() noexcept;  // the lowest address that a mapping can have, of 16 GiB
[[nodiscard]] std::uintptr_t next_mapping_end() noexcept;

}  // namespace brkmmap::fake
