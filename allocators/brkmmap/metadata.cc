// See metadata.h.
#include "allocators/brkmmap/metadata.h"

#include <algorithm>
#include <bit>
#include <iterator>
#include <new>

namespace brkmmap {

void* Metadata::map(std::size_t bytes) noexcept {
  void* chunk = kernel_.map(bytes);
  if (chunk != nullptr) kernel_.metadata_bytes.fetch_add(bytes, std::memory_order_relaxed);
  return chunk;
}

bool Metadata::set_aside(std::size_t bytes) noexcept {
  if (spare_ == nullptr) {
    spare_ = map(bytes);
    spare_bytes_ = bytes;
  }
  return spare_ != nullptr;
}

void* Metadata::allocate(std::size_t bytes) noexcept {
  if (spare_ == nullptr || bytes != spare_bytes_) return map(round_up(bytes, kPageSize));
  void* memory = spare_;
  spare_ = nullptr;
  return memory;
}

void Metadata::link(Group* group) noexcept {
  group->previous = nullptr;
  group->next = with_room_;
  if (with_room_ != nullptr) with_room_->previous = group;
  with_room_ = group;
}

void Metadata::unlink(Group* group) noexcept {
  (group->previous != nullptr ? group->previous->next : with_room_) = group->next;
  if (group->next != nullptr) group->next->previous = group->previous;
}

Metadata::Group* Metadata::new_group() noexcept {
  if (end_ - next_ < kGroupBytes) {
    void* chunk = map(kChunk);
    if (chunk == nullptr) return nullptr;
    next_ = round_up(reinterpret_cast<std::uintptr_t>(chunk), kGroupBytes);
    end_ = reinterpret_cast<std::uintptr_t>(chunk) + kChunk;
  }
  auto* group = new (reinterpret_cast<void*>(next_)) Group{};
  group->used[0] = 1;
  group->resident = 1;
  next_ += kGroupBytes;
  ++empty_groups_;
  link(group);
  return group;
}

// kSlots where all are used.
std::size_t Metadata::first_unused(const Group& group) noexcept {
  std::size_t word = 0;
  while (word < std::size(group.used) && ~group.used[word] == 0) ++word;
  return word == std::size(group.used)
             ? kSlots
             : word * 64 + static_cast<std::size_t>(std::countr_one(group.used[word]));
}

Span* Metadata::new_span() noexcept {
  Group* group = with_room_ != nullptr ? with_room_ : new_group();
  if (group == nullptr) return nullptr;
  const std::size_t slot = first_unused(*group), page = slot / kSlotsAPage;
  if (is_idle(*group, page)) --idle_pages_;
  if (is_empty(*group)) --empty_groups_;
  group->resident = static_cast<std::uint8_t>(group->resident | 1u << page);
  group->used[slot / 64] |= std::uint64_t{1} << slot % 64;
  if (first_unused(*group) == kSlots) unlink(group);
  return new (reinterpret_cast<char*>(group) + slot * sizeof(Span)) Span;
}

void Metadata::delete_span(Span* span) noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(span);
  auto* group = reinterpret_cast<Group*>(round_down(address, kGroupBytes));
  const std::size_t slot = address % kGroupBytes / sizeof(Span), page = slot / kSlotsAPage;
  span->state.store(SpanState::kUnused, std::memory_order_relaxed);
  if (first_unused(*group) == kSlots) link(group);
  group->used[slot / 64] &= ~(std::uint64_t{1} << slot % 64);
  if (is_page_free(group->used, page, kSlotsAPage) && ++idle_pages_ > purge_above_) purge_idle();
  if (is_empty(*group) && ++empty_groups_ > kEmptyGroups) release(group);
}

bool Metadata::reserve(std::size_t count) noexcept {
  Span* taken = nullptr;
  std::size_t got = 0;
  for (; got != count; ++got) {
    Span* span = new_span();
    if (span == nullptr) break;
    span->above = taken;
    taken = span;
  }
  while (taken != nullptr) {
    Span* next = taken->above;
    delete_span(taken);
    taken = next;
  }
  return got == count;
}

// All at once: pages that lie side by side go in one call. Where the kernel refuses (locked memory), the next
// attempt waits until twice as many are idle: their number bounds the calls that fail.
void Metadata::purge_idle() noexcept {
  for (Group* group = with_room_; group != nullptr; group = group->next) {
    each_run(
        kGroupBytes / kPageSize, [&](std::size_t page) { return is_idle(*group, page); },
        [&](std::size_t page, std::size_t end) {
          const std::uintptr_t start = reinterpret_cast<std::uintptr_t>(group) + page * kPageSize;
          if (!kernel_.purge(start, (end - page) * kPageSize)) return;
          group->resident = static_cast<std::uint8_t>(group->resident & ~bits_of(page, end));
          idle_pages_ -= end - page;
        });
  }
  purge_above_ = std::max(kIdlePages, 2 * idle_pages_);
}

bool Metadata::is_empty(const Group& group) noexcept {
  return group.used[0] == 1 &&
         std::all_of(group.used + 1, std::end(group.used), [](std::uint64_t word) { return word == 0; });
}

// Gives an empty group back, addresses and all. Where the kernel refuses, it stays.
void Metadata::release(Group* group) noexcept {
  std::size_t idle = 0;
  for (std::size_t page = 0; page < kGroupBytes / kPageSize; ++page) idle += is_idle(*group, page);
  unlink(group);
  if (!kernel_.unmap(reinterpret_cast<std::uintptr_t>(group), kGroupBytes)) return link(group);
  kernel_.metadata_bytes.fetch_sub(kGroupBytes, std::memory_order_relaxed);
  idle_pages_ -= idle;
  --empty_groups_;
}

}  // namespace brkmmap
