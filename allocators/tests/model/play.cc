// See play.h.
#include "allocators/tests/model/play.h"

#include <dlfcn.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <new>

namespace heapmark::model {
namespace {

using Numbers = struct brkmmap_stats;

// The optimiser may not see where a pointer comes from, nor drop a pair of malloc and free.
template <typename T>
T hidden(T value) {
  asm volatile("" : "+r"(value) : : "memory");
  return value;
}

// C17 7.22.3 with DR 2244 of C: a block smaller than the strictest type need not be aligned for it.
std::size_t plain_alignment(std::size_t bytes) {
  return bytes >= alignof(std::max_align_t) ? alignof(std::max_align_t) : sizeof(void*);
}

}  // namespace

// A request was answered with null and `error`.
Wrong Player::refuse(std::size_t bytes, int error) const {
  if (refusals_ == nullptr) return "a request was refused";
  return error == ENOMEM ? refusals_(bytes) : "a request was refused without ENOMEM";
}

// Called right after the request: reads errno where that was refused.
Wrong Player::enter(Block& slot, void* memory, std::size_t bytes, std::size_t alignment, std::uint64_t seed) {
  if (memory == nullptr) return refuse(bytes + alignment, errno);
  const Block block{
      static_cast<unsigned char*>(memory), bytes, malloc_usable_size(memory), alignment, seed, false};
  if (const Wrong wrong = model_.add(block)) return wrong;
  stamp(block);
  slot = block;
  return nullptr;
}

Wrong Player::allocate(Block& slot, std::size_t bytes, std::uint64_t seed) {
  return enter(slot, hidden(std::malloc(bytes)), bytes, plain_alignment(bytes), seed);
}

Wrong Player::allocate_zeroed(Block& slot, std::size_t count, std::size_t each, std::uint64_t seed) {
  void* memory = hidden(std::calloc(count, each));
  const std::size_t bytes = count * each;
  if (memory != nullptr && malloc_usable_size(memory) >= bytes &&
      !all_zero(static_cast<unsigned char*>(memory), bytes))
    return "calloc's block is not zero";
  return enter(slot, memory, bytes, plain_alignment(bytes), seed);
}

Wrong Player::allocate_aligned(Block& slot, std::size_t alignment, std::size_t bytes, bool by_posix,
                               std::uint64_t seed) {
  void* memory = nullptr;
  if (!by_posix) {
    memory = hidden(std::aligned_alloc(alignment, bytes));
  } else if (const int error = posix_memalign(&memory, std::max(alignment, sizeof(void*)), bytes);
             error != 0) {
    return refuse(bytes + alignment, error);
  }
  return enter(slot, hidden(memory), bytes, alignment, seed);
}

Wrong Player::allocate_pages(Block& slot, std::size_t bytes, bool whole, std::uint64_t seed) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  void* memory = hidden(whole ? pvalloc(bytes) : valloc(bytes));
  return enter(slot, memory, whole ? (bytes + page - 1) / page * page : bytes, page, seed);
}

Wrong Player::allocate_by_new(Block& slot, std::size_t alignment, std::size_t bytes, std::uint64_t seed) {
  void* memory = hidden(alignment == 0 ? ::operator new(bytes, std::nothrow)
                                       : ::operator new (bytes, std::align_val_t{alignment}, std::nothrow));
  const std::size_t promised = alignment == 0 ? plain_alignment(bytes) : alignment;
  if (memory == nullptr) return refuse(bytes + promised, ENOMEM);  // they say nothing by errno
  return enter(slot, memory, bytes, promised, seed);
}

Wrong Player::reallocate(Block& slot, std::size_t bytes, std::uint64_t seed) {
  const Block old = slot;
  if (old.memory != nullptr)
    if (const Wrong wrong = model_.remove(old)) return wrong;
  slot = {};
  void* memory = hidden(std::realloc(old.memory, bytes));
  if (bytes == 0 && old.memory != nullptr)
    return memory == nullptr ? nullptr : "realloc to no bytes gave a block";
  if (memory == nullptr && old.memory != nullptr) {
    if (const Wrong wrong = refuse(bytes, errno)) return wrong;
    if (const Wrong wrong = look_at(old)) return wrong;
    slot = old;
    return model_.add(old);
  }
  if (memory != nullptr && old.memory != nullptr) {
    if (malloc_usable_size(memory) < bytes) return "malloc_usable_size is less than was asked for";
    if (!holds_stamp(old, static_cast<unsigned char*>(memory), std::min(old.bytes, bytes)))
      return "realloc did not keep the contents";
  }
  return enter(slot, memory, bytes, plain_alignment(bytes), seed);
}

Wrong Player::release(Block& slot) {
  if (const Wrong wrong = look_at(slot)) return wrong;
  if (const Wrong wrong = model_.remove(slot)) return wrong;
  std::free(slot.memory);
  slot = {};
  return nullptr;
}

Wrong Player::look_at(const Block& slot) const {
  if (malloc_usable_size(slot.memory) != slot.usable) return "malloc_usable_size of a live block changed";
  return holds_stamp(slot, slot.memory, slot.usable) ? nullptr : "the contents of a live block changed";
}

Figures::Figures(const Model& model) : model_(model), stats_(::dlsym(RTLD_DEFAULT, "brkmmap_stats")) {
  if (stats_ != nullptr) base_ = outside();
}

Numbers Figures::now() const {
  Numbers numbers{};
  if (stats_ != nullptr) reinterpret_cast<void (*)(Numbers*)>(stats_)(&numbers);
  return numbers;
}

std::uint64_t Figures::outside() const {
  return now().live_bytes - model_.usable_bytes();
}

Wrong Figures::check(std::uint64_t foreign_bytes) const {
  if (stats_ == nullptr) return nullptr;
  const Numbers now = this->now();
  if (now.live_bytes + now.cached_bytes + now.free_bytes + now.metadata_bytes != now.mapped_bytes)
    return "live + cached + free + metadata is not mapped";
  if (now.live_bytes < model_.usable_bytes())
    return "live_bytes is less than the usable bytes of live blocks";
  const std::uint64_t outside_now = outside();
  if (std::max(outside_now, base_) - std::min(outside_now, base_) > foreign_bytes)
    return "live_bytes does not follow the usable bytes of live blocks";
  return nullptr;
}

void Figures::print() const {
  if (stats_ == nullptr) return;
  const Numbers now = this->now();
  char line[400];
  const int length = std::snprintf(line, sizeof line,
                                   "live %" PRIu64 " cached %" PRIu64 " free %" PRIu64 " metadata %" PRIu64
                                   " sum %" PRIu64 " mapped %" PRIu64 " heap %" PRIu64
                                   "; usable in the model %" PRIu64 ", outside it at first %" PRIu64 "\n",
                                   now.live_bytes, now.cached_bytes, now.free_bytes, now.metadata_bytes,
                                   now.live_bytes + now.cached_bytes + now.free_bytes + now.metadata_bytes,
                                   now.mapped_bytes, now.heap_bytes, model_.usable_bytes(), base_);
  if (::write(STDOUT_FILENO, line, static_cast<std::size_t>(length)) != length) std::abort();
}

}  // namespace heapmark::model
