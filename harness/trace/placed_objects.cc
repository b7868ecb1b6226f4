// See placed_objects.h.
#include "harness/trace/placed_objects.h"

namespace heapmark::trace {
namespace {

constexpr std::size_t kRecent = 1 << 16;

std::optional<LiveObject> visible(const LiveObject& object) {
  return object.name.thread == kHiddenThread ? std::nullopt : std::optional(object);
}

}  // namespace

PlacedObjects::PlacedObjects(std::uint64_t late_units, bool has_many_threads, WriterCounts& counts)
    : late_units_(late_units), counts_(counts), recent_(has_many_threads ? kRecent : 0) {}

bool PlacedObjects::is_known(std::uint64_t address, std::uint32_t thread) {
  return objects_.find(address) != nullptr || late_at(address, thread) != nullptr;
}

// The older object of an address that the thread may still mean; null where there is none.
PlacedObjects::Late* PlacedObjects::late_at(std::uint64_t address, std::uint32_t thread) {
  for (Late& late : late_)
    if (late.address == address && !late.freed && late.not_by != thread) return &late;
  return nullptr;
}

LiveObject* PlacedObjects::find(std::uint64_t address, std::uint32_t thread) {
  Late* const late = late_at(address, thread);
  LiveObject* const found = late != nullptr ? &late->object : objects_.find(address);
  return found == nullptr || found->name.thread == kHiddenThread ? nullptr : found;
}

std::optional<LiveObject> PlacedObjects::take(std::uint64_t address, std::uint64_t time,
                                              std::uint32_t thread) {
  if (Late* const late = late_at(address, thread)) {
    late->freed = true;
    ++counts_.repaired_inversions;
    return visible(late->object);
  }
  LiveObject* const found = objects_.find(address);
  if (found == nullptr) {
    owe_or_count(address, time, thread);
    return std::nullopt;
  }
  const LiveObject object = *found;
  objects_.erase(address);
  if (!recent_.empty()) recent_[address % kRecent] = {address, time, thread};
  return visible(object);
}

// A free of an address that another thread freed a moment ago: that one was the free of the address's next
// object, and came first by its stamp. The next object is then freed as soon as it is there. Else the
// address is not known.
void PlacedObjects::owe_or_count(std::uint64_t address, std::uint64_t time, std::uint32_t thread) {
  if (!recent_.empty()) {
    const Recent& recent = recent_[address % kRecent];
    if (recent.address == address && recent.thread != thread && recent.time + late_units_ >= time) {
      owed_.push_back({address, time + late_units_, thread, false});
      return;
    }
  }
  ++counts_.unknown_frees;
}

std::optional<std::uint32_t> PlacedObjects::owed_by(std::uint64_t address, std::uint64_t time) {
  for (Owed& owed : owed_)
    if (owed.address == address && !owed.paid && owed.until >= time) {
      owed.paid = true;
      ++counts_.repaired_inversions;
      return owed.thread;
    }
  return std::nullopt;
}

void PlacedObjects::make_way(std::uint64_t address, std::uint64_t time, std::uint32_t thread) {
  const LiveObject* const older = objects_.find(address);
  if (older == nullptr) return;
  late_.push_back({address, time + late_units_, thread, *older});
  objects_.erase(address);
}

}  // namespace heapmark::trace
