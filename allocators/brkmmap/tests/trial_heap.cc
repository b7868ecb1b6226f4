// See trial_heap.h.
#include "allocators/brkmmap/tests/trial_heap.h"

#include <algorithm>
#include <utility>

namespace brkmmap {

// The library's own stands in a part that is not linked here.
constinit std::uintptr_t secret = 0x5ec4e7;

namespace {

constexpr std::size_t kMostLive = std::size_t{48} << 20;
constexpr std::size_t kMostItems = 6000;
constexpr std::size_t kStays = std::size_t{2} << 20;  // of freed memory, after a second

// What is written of a block: all of it where it is small, else both ends of each 4 KiB. Every word depends
// on the block's mark and on its place.
std::size_t stride_of(std::size_t bytes) {
  return bytes <= 4096 ? 8 : 4096;
}

// Calls visit(word, offset) for the written words among the first `kept` bytes, whole strides, of a block.
template <typename Visit>
bool each_word(unsigned char* memory, std::size_t kept, std::size_t stride, Visit visit) {
  for (std::size_t at = 0; at + 8 <= kept; at += stride) {
    if (!visit(reinterpret_cast<std::uint64_t*>(memory + at), at)) return false;
    const std::size_t last = std::min(at + stride, kept / 8 * 8) - 8;
    if (!visit(reinterpret_cast<std::uint64_t*>(memory + last), last)) return false;
  }
  return true;
}

void write(unsigned char* memory, std::size_t bytes, std::uint64_t mark) {
  each_word(memory, bytes, stride_of(bytes), [mark](std::uint64_t* word, std::size_t at) {
    *word = mark + at;
    return true;
  });
}

bool holds(unsigned char* memory, std::size_t kept, std::size_t stride, std::uint64_t mark) {
  return each_word(memory, kept, stride,
                   [mark](const std::uint64_t* word, std::size_t at) { return *word == mark + at; });
}

bool reads_zero(unsigned char* memory, std::size_t bytes) {
  return each_word(memory, bytes, stride_of(bytes),
                   [](const std::uint64_t* word, std::size_t) { return *word == 0; });
}

}  // namespace

TrialHeap::TrialHeap(std::uint64_t seed) : random_(seed) {
  fake::reset();
}

Span* TrialHeap::span_of(const Item& item) const noexcept {
  return map_->get(reinterpret_cast<std::uintptr_t>(item.memory)).span();
}

Wrong TrialHeap::refused(std::size_t refusals_before) const {
  return fake::refusals() == refusals_before ? "a request was refused, and no kernel call was" : nullptr;
}

Wrong TrialHeap::enter(void* memory, std::size_t bytes, std::size_t alignment, Kind kind,
                       std::size_t dirty_bytes) {
  auto* bytes_of = static_cast<unsigned char*>(memory);
  if (reinterpret_cast<std::uintptr_t>(memory) % alignment != 0) return "not aligned as asked for";
  if (dirty_bytes < bytes && !reads_zero(bytes_of + dirty_bytes, bytes - dirty_bytes))
    return "said to read as zero, and does not";
  items_.push_back({bytes_of, bytes, kind, ++marks_ << 32});
  live_bytes_ += bytes;
  write(bytes_of, bytes, items_.back().mark);
  return nullptr;
}

Wrong TrialHeap::ask_objects() {
  const std::size_t index = random_() % (random_() % 8 == 0 ? kClasses : kFirstBlockClass);
  const std::size_t before = fake::refusals();
  void* got[8];
  const std::size_t count = heap_->fetch(random_() % kShards, index, got, 1 + random_() % 8);
  if (count == 0) return refused(before);
  for (std::size_t at = 0; at < count; ++at)
    if (const Wrong wrong = enter(got[at], class_bytes(index), 16, Kind::kObject, class_bytes(index)))
      return wrong;
  return nullptr;
}

Wrong TrialHeap::ask_aligned_object() {
  const std::size_t index = class_of(1 + random_() % kMaxSmall), alignment = std::size_t{16} << random_() % 9;
  const std::size_t before = fake::refusals();
  void* object = nullptr;
  if (heap_->fetch(random_() % kShards, index, &object, 1, alignment) == 0) return refused(before);
  return enter(object, class_bytes(index), alignment, Kind::kObject, class_bytes(index));
}

Wrong TrialHeap::ask_block() {
  const std::size_t units = 4 + random_() % (random_() % 16 == 0 ? 3000 : 120);
  const std::size_t alignment = random_() % 4 == 0 ? kUnit << random_() % 9 : kUnit;
  const std::size_t before = fake::refusals();
  std::size_t dirty_bytes = 0;
  void* block = heap_->allocate_block(units, alignment, &dirty_bytes);
  return block == nullptr ? refused(before)
                          : enter(block, units << kUnitShift, alignment, Kind::kBlock, dirty_bytes);
}

Wrong TrialHeap::ask_mapping() {
  const std::size_t pages = 1 + random_() % (random_() % 8 == 0 ? 1500 : 200);
  const std::size_t alignment = random_() % 4 == 0 ? kPageSize << random_() % 9 : kPageSize;
  const std::size_t before = fake::refusals();
  std::size_t dirty_bytes = 0;
  void* block = heap_->mappings.allocate(pages, alignment, &dirty_bytes);
  return block == nullptr ? refused(before)
                          : enter(block, pages * kPageSize, alignment, Kind::kMapping, dirty_bytes);
}

Wrong TrialHeap::ask() {
  switch (random_() % 16) {
    case 0:
      return ask_mapping();
    case 1:
      return ask_aligned_object();
    case 2:
    case 3:
      return ask_block();
    default:
      return ask_objects();
  }
}

// A resize that is refused leaves the block as it was. Objects of slabs are moved by a copy above the heap.
Wrong TrialHeap::resize(Item& item) {
  const bool mapping = item.kind == Kind::kMapping;
  const std::size_t step = mapping ? kPageSize : kUnit;
  const std::size_t least = mapping ? 1 : 4, now = item.bytes / step;
  const std::size_t wanted = random_() % 2 == 0 ? now + 1 + random_() % (now + 8) : least + random_() % now;
  if (live_bytes_ + wanted * step > 2 * kMostLive) return nullptr;
  unsigned char* memory = item.memory;
  bool done = true;
  if (mapping) {
    void* moved = heap_->mappings.resize(span_of(item), wanted);
    done = moved != nullptr;
    if (done) memory = static_cast<unsigned char*>(moved);
  } else {
    done = heap_->resize_block(span_of(item), wanted);
  }
  const std::size_t bytes = done ? wanted * step : item.bytes;
  const std::size_t stride = stride_of(item.bytes), kept = std::min(bytes, item.bytes) / stride * stride;
  if (!holds(memory, kept, stride, item.mark)) return "a resize lost contents";
  live_bytes_ = live_bytes_ - item.bytes + bytes;
  item.memory = memory;
  item.bytes = bytes;
  write(memory, bytes, item.mark);
  return nullptr;
}

Wrong TrialHeap::give_back(std::size_t at) {
  std::swap(items_[at], items_.back());
  const Item item = items_.back();
  items_.pop_back();
  live_bytes_ -= item.bytes;
  if (!holds(item.memory, item.bytes, stride_of(item.bytes), item.mark))
    return "the contents of a live block changed";
  const std::size_t before = fake::calls();
  if (item.kind == Kind::kMapping) {
    heap_->mappings.free(span_of(item));
  } else if (item.kind == Kind::kBlock) {
    heap_->free_block(span_of(item));
  } else {
    auto* object = reinterpret_cast<Object*>(item.memory);
    object->link(nullptr);
    heap_->give_back(object);
  }
  const std::size_t calls = fake::calls() - before;
  ++frees_;
  calls_of_frees_ += calls;
  most_calls_of_a_free_ = std::max(most_calls_of_a_free_, calls);
  return nullptr;
}

// What callers of the heap do at times: their calls are as many as there are free ranges, and not counted.
Wrong TrialHeap::clean_up() {
  switch (random_() % 5) {
    case 0:
      heap_->trim(random_() % 2 == 0 ? 0 : 65536);
      break;
    case 1:
      heap_->release_within_slabs();
      break;
    case 2: {
      const Guard guard(heap_->lock);
      heap_->pages.release_everything();
      break;
    }
    case 3:
      heap_->mappings.clear();
      break;
    default:
      fake::foreign_sbrk(random_() % 9000);
  }
  return nullptr;
}

Wrong TrialHeap::step() {
  if (random_() % 16 == 0) fake::pass_time(random_() % 100);
  if (random_() % 256 == 0) return clean_up();
  const bool full = live_bytes_ > kMostLive || items_.size() > kMostItems;
  // Phases of growth and of shrinking, some hundred steps each.
  const bool grows = marks_ / 2048 % 2 == 0 ? random_() % 8 < 5 : random_() % 8 < 2;
  if (items_.empty() || (grows && !full)) return ask();
  const std::size_t at = random_() % items_.size();
  if (items_[at].kind != Kind::kObject && random_() % 3 == 0) return resize(items_[at]);
  return give_back(at);
}

Wrong TrialHeap::check_balance() const {
  std::size_t slab_bytes = 0, object_bytes = 0;
  for (const Slabs& slabs : heap_->shards) {
    slab_bytes += slabs.slab_bytes();
    object_bytes += slabs.object_bytes();
  }
  const std::size_t out = heap_->pages.out_bytes(), mapped = heap_->kernel.mapped_bytes;
  if (object_bytes + out - slab_bytes + heap_->mappings.bytes() != live_bytes_ + heap_->shelf.bytes())
    return "what the heap says is live is not what was asked for";
  if (out + heap_->mappings.bytes() + heap_->pages.free_bytes() + heap_->kernel.retained.kept_bytes +
          heap_->kernel.metadata_bytes !=
      mapped)
    return "live + cached + free + metadata is not mapped";
  return mapped == fake::held_bytes() ? nullptr : "mapped is not what the kernel says";
}

Wrong TrialHeap::free_all() {
  while (!items_.empty())
    if (const Wrong wrong = give_back(random_() % items_.size())) return wrong;
  heap_->clear_shelf();
  return check_balance();
}

Wrong TrialHeap::check_given_back() {
  fake::pass_time(1100);
  for (int call = 0; call < 1000; ++call) {
    if (const Wrong wrong = ask_objects()) return wrong;
    if (const Wrong wrong = free_all()) return wrong;
    heap_->rest_if_due();  // as each thread does now and then
  }
  // The tables: what was used of them may be resident.
  return fake::resident_bytes() <= kStays + heap_->kernel.metadata_bytes ? nullptr
                                                                         : "freed memory was not given back";
}

}  // namespace brkmmap
