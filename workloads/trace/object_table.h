// The live objects of a trace while it is decoded: object -> slot by a hash table of its own, and what is
// known of the object in each slot. A slot that was given up is used again only from the next batch on, so
// that within a batch a slot stands for one object. Pure: all memory is the caller's, zeroed.
#pragma once

#include <cstddef>
#include <cstdint>

#include "workloads/contract/trace/format.h"

namespace heapmark::replay {

inline constexpr std::uint32_t kNoSlot = ~std::uint32_t{0};

struct SlotInfo {
  std::uint64_t bytes;
  std::uint32_t owner;  // the thread that made it
  std::uint32_t next;   // in the list of free slots, or of given-up ones, or of an owner's
  std::uint32_t written_pages;
  trace::Op op;  // that made it
  std::uint8_t log2_alignment;
  bool live;
  [[nodiscard]] std::uint64_t unwritten_bytes() const {
    return bytes - trace::written_bytes(bytes, written_pages);
  }
};
static_assert(sizeof(SlotInfo) == 24);

class ObjectTable {
 public:
  // Room for `objects` at one time; entries: table_entries(objects).
  struct Entry {
    std::uint64_t serial;
    std::uint32_t thread;
    std::uint32_t slot_and_one;  // 0: empty
  };
  static constexpr std::uint64_t table_entries(std::uint64_t objects) {
    std::uint64_t entries = 16;
    while (entries * 2 < objects * 3) entries *= 2;  // at most two thirds full
    return entries;
  }

  void set_up(Entry* entries, SlotInfo* slots, std::uint32_t objects) {
    entries_ = entries;
    mask_ = table_entries(objects) - 1;
    slots_ = slots;
    capacity_ = objects;
  }

  // kNoSlot where there is no room, or the object is there already.
  std::uint32_t add(const trace::Object& object, std::uint64_t bytes, std::uint32_t written_pages,
                    trace::Op op, std::uint8_t log2_alignment) {
    std::uint64_t at = place_of(object);
    if (entries_[at].slot_and_one != 0) return kNoSlot;
    std::uint32_t slot = free_;
    if (slot != kNoSlot)
      free_ = slots_[slot].next;
    else if (used_ < capacity_)
      slot = used_++;
    else
      return kNoSlot;
    entries_[at] = {object.serial, object.thread, slot + 1};
    slots_[slot] = {bytes, object.thread, kNoSlot, written_pages, op, log2_alignment, true};
    ++live_objects_;
    live_bytes_ += bytes;
    live_unwritten_bytes_ += slots_[slot].unwritten_bytes();
    return slot;
  }

  // kNoSlot where no such object is live. Its slot's info stays until it is used again.
  std::uint32_t give_up(const trace::Object& object) {
    std::uint64_t at = place_of(object);
    if (entries_[at].slot_and_one == 0) return kNoSlot;
    const std::uint32_t slot = entries_[at].slot_and_one - 1;
    // Those that follow move up, where their own place lets them (Knuth, TAOCP 3, 6.4, algorithm R).
    for (std::uint64_t next = (at + 1) & mask_; entries_[next].slot_and_one != 0; next = (next + 1) & mask_) {
      const std::uint64_t wanted = hash({entries_[next].thread, entries_[next].serial});
      if (((next - wanted) & mask_) < ((next - at) & mask_)) continue;
      entries_[at] = entries_[next];
      at = next;
    }
    entries_[at].slot_and_one = 0;
    slots_[slot].next = given_up_;
    slots_[slot].live = false;
    if (given_up_ == kNoSlot) last_given_up_ = slot;
    given_up_ = slot;
    --live_objects_;
    live_bytes_ -= slots_[slot].bytes;
    live_unwritten_bytes_ -= slots_[slot].unwritten_bytes();
    return slot;
  }

  // kNoSlot where no such object is live.
  [[nodiscard]] std::uint32_t find(const trace::Object& object) const {
    return entries_[place_of(object)].slot_and_one - 1;
  }

  // More of the object in the slot is written to, where it lives and something is told of it.
  void write(std::uint32_t slot, std::uint32_t pages) {
    SlotInfo& info = slots_[slot];
    if (!info.live || info.written_pages == trace::kNotTold || pages <= info.written_pages) return;
    live_unwritten_bytes_ -= info.unwritten_bytes();
    info.written_pages = pages;
    live_unwritten_bytes_ += info.unwritten_bytes();
  }

  // A batch is over: slots that it gave up may be used again.
  void end_batch() {
    if (given_up_ == kNoSlot) return;
    slots_[last_given_up_].next = free_;
    free_ = given_up_;
    given_up_ = kNoSlot;
  }

  // As it was set up.
  void clear() {
    for (std::uint64_t at = 0; at <= mask_; ++at) entries_[at] = {};
    free_ = given_up_ = last_given_up_ = kNoSlot;
    used_ = 0;
    live_objects_ = live_bytes_ = live_unwritten_bytes_ = 0;
  }

  [[nodiscard]] SlotInfo& slot(std::uint32_t number) { return slots_[number]; }
  [[nodiscard]] const SlotInfo& slot(std::uint32_t number) const { return slots_[number]; }
  [[nodiscard]] std::uint32_t slots_used() const { return used_; }  // all numbers below it
  [[nodiscard]] std::uint64_t live_objects() const { return live_objects_; }
  [[nodiscard]] std::uint64_t live_bytes() const { return live_bytes_; }
  // Of these, what the program never writes to.
  [[nodiscard]] std::uint64_t live_unwritten_bytes() const { return live_unwritten_bytes_; }

 private:
  [[nodiscard]] std::uint64_t hash(const trace::Object& object) const {
    std::uint64_t bits = object.serial * 0x9e3779b97f4a7c15 + object.thread * 0xc2b2ae3d27d4eb4f;
    bits ^= bits >> 32;
    return bits * 0x9e3779b97f4a7c15 >> 20 & mask_;
  }
  [[nodiscard]] std::uint64_t place_of(const trace::Object& object) const {
    std::uint64_t at = hash(object);
    while (entries_[at].slot_and_one != 0 &&
           (entries_[at].serial != object.serial || entries_[at].thread != object.thread))
      at = (at + 1) & mask_;
    return at;
  }

  Entry* entries_ = nullptr;
  SlotInfo* slots_ = nullptr;
  std::uint64_t mask_ = 0, live_objects_ = 0, live_bytes_ = 0, live_unwritten_bytes_ = 0;
  std::uint32_t capacity_ = 0, used_ = 0;
  std::uint32_t free_ = kNoSlot, given_up_ = kNoSlot, last_given_up_ = kNoSlot;
};

}  // namespace heapmark::replay
