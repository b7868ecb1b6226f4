// Memory for the allocator's own tables. Descriptions of spans come from groups of 32 KiB; groups, and pages
// of groups, in which none is in use go back to the kernel when there are some, so that a heap that has
// shrunk does not keep the descriptions of its largest day. Other tables are mapped each alone and stay.
// Caller holds the heap's lock.
#pragma once

#include "allocators/brkmmap/kernel.h"
#include "allocators/brkmmap/page_bits.h"
#include "allocators/brkmmap/span.h"

namespace brkmmap {

class Metadata {
 public:
  explicit constexpr Metadata(Kernel& kernel) noexcept : kernel_(kernel) {}

  // Zeroed whole pages. Null where the kernel refuses.
  [[nodiscard]] void* allocate(std::size_t bytes) noexcept;
  // Sets memory for one table of `bytes` aside, where that isn't so already: the next allocation of just that
  // size is certain. False where the kernel refuses.
  [[nodiscard]] bool set_aside(std::size_t bytes) noexcept;
  [[nodiscard]] Span* new_span() noexcept;
  void delete_span(Span* span) noexcept;
  // Whether the next `count` new spans are certain, where only they are asked for meanwhile.
  [[nodiscard]] bool reserve(std::size_t count) noexcept;
  // Addresses that can neither be used (no table for them) nor be given back (the kernel refuses): they count
  // as metadata for good.
  void lose(std::size_t bytes) noexcept {
    kernel_.metadata_bytes.fetch_add(bytes, std::memory_order_relaxed);
  }

 private:
  static constexpr std::size_t kChunk = 256 * 1024;  // mapped at once for groups
  static constexpr std::size_t kGroupBytes = 32 * 1024;
  static constexpr std::size_t kSlots = kGroupBytes / sizeof(Span);
  static constexpr std::size_t kSlotsAPage = kPageSize / sizeof(Span);
  static constexpr std::size_t kIdlePages = 32;   // with no description in use, kept against thrash
  static constexpr std::size_t kEmptyGroups = 4;  // the same
  // Lies in the first slot, which counts as used: so its page stays. Aligned to the group's size.
  struct Group {
    Group* next;  // of those with room
    Group* previous;
    std::uint64_t used[kSlots / 64];
    std::uint8_t resident;  // which pages were touched since they last went back
  };
  static_assert(sizeof(Group) <= sizeof(Span));
  static_assert(kGroupBytes / kPageSize == 8);

  static bool is_idle(const Group& group, std::size_t page) noexcept {
    return (group.resident >> page & 1) != 0 && is_page_free(group.used, page, kSlotsAPage);
  }
  static std::size_t first_unused(const Group& group) noexcept;
  void* map(std::size_t bytes) noexcept;
  Group* new_group() noexcept;
  void purge_idle() noexcept;
  static bool is_empty(const Group& group) noexcept;
  void release(Group* group) noexcept;
  void link(Group* group) noexcept;
  void unlink(Group* group) noexcept;

  Kernel& kernel_;
  void* spare_ = nullptr;
  std::size_t spare_bytes_ = 0;
  std::uintptr_t next_ = 0;  // of the newest chunk, what is not yet a group
  std::uintptr_t end_ = 0;
  Group* with_room_ = nullptr;
  std::size_t idle_pages_ = 0;
  std::size_t purge_above_ = kIdlePages;  // more than this where the kernel refused
  std::size_t empty_groups_ = 0;
};

}  // namespace brkmmap
