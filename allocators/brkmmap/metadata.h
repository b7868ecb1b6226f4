// Memory for the allocator's own tables. Descriptions of spans come from groups of 32 KiB; the pages of an
// empty group go back to the kernel, so that a heap that has shrunk does not keep the descriptions of its
// largest day. Other tables are mapped each alone and stay. Caller holds the heap's lock.
#pragma once

#include "allocators/brkmmap/kernel.h"
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

 private:
  static constexpr std::size_t kChunk = 256 * 1024;  // mapped at once for groups
  static constexpr std::size_t kGroupBytes = 32 * 1024;
  static constexpr std::size_t kSpans = kGroupBytes / sizeof(Span) - 1;
  // Lies in the place of the first description, in a page that stays; aligned to its size.
  struct Group {
    Group* next;  // of those with room
    Group* previous;
    Span* unused;         // linked by `right`
    std::uint32_t fresh;  // how many were ever used since the pages were new: the rest is untouched
    std::uint32_t live;
  };
  static_assert(sizeof(Group) <= sizeof(Span));

  void* map(std::size_t bytes) noexcept;
  Group* new_group() noexcept;
  void link(Group* group) noexcept;
  void unlink(Group* group) noexcept;

  Kernel& kernel_;
  void* spare_ = nullptr;
  std::size_t spare_bytes_ = 0;
  std::uintptr_t next_ = 0;  // of the newest chunk, what is not yet a group
  std::uintptr_t end_ = 0;
  Group* with_room_ = nullptr;
  Group* empty_ = nullptr;  // one of them that has no description in use and keeps its pages
};

}  // namespace brkmmap
