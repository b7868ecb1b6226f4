// Which object of a recording lies at an address, and the repair of what the stamps of two CPUs have the
// wrong way round: an address that is handed out before its free came, and a free that came before its
// request. Times are those of the recording. It counts what it repaired, and the frees of addresses that are
// not known. Above: closing.cc. Below: AddressMap.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "harness/trace/address_map.h"
#include "harness/trace/trace_writer.h"

namespace heapmark::trace {

class PlacedObjects {
 public:
  // `late_units`: how long a free may come after its address was handed out again, or before its request.
  // One thread alone has nothing the wrong way round.
  PlacedObjects(std::uint64_t late_units, bool has_many_threads, WriterCounts& counts);

  // The thread means an object that lies at the address, or lay there. Hidden ones count.
  [[nodiscard]] bool is_known(std::uint64_t address, std::uint32_t thread);
  // Null where there is none, or it is hidden. Valid until the next call.
  [[nodiscard]] LiveObject* find(std::uint64_t address, std::uint32_t thread);
  // The object at the address, which the thread gives up. None where there is none, or it is hidden.
  std::optional<LiveObject> take(std::uint64_t address, std::uint64_t time, std::uint32_t thread);
  // The address is handed out to the thread: what lies there, if anything still does, waits for its late
  // free.
  void make_way(std::uint64_t address, std::uint64_t time, std::uint32_t thread);
  // Nothing lies there.
  void insert(std::uint64_t address, const LiveObject& object) { objects_.insert(address, object); }
  // The thread whose free of the object that is requested at the address came already. It owes it no more.
  std::optional<std::uint32_t> owed_by(std::uint64_t address, std::uint64_t time);
  // Frees that did not come until now were never recorded: calls lost(object, until) for each object that
  // waited for one. A template, as it is called at every event.
  template <typename Lost>
  void give_up_waiting(std::uint64_t now, const Lost& lost) {
    for (; !owed_.empty() && (owed_.front().paid || owed_.front().until < now); owed_.pop_front())
      if (!owed_.front().paid) ++counts_.unknown_frees;
    while (!late_.empty() && (late_.front().freed || late_.front().until < now)) {
      const Late late = late_.front();
      late_.pop_front();
      if (late.freed || late.object.name.thread == kHiddenThread) continue;
      ++counts_.lost_events;
      lost(late.object, late.until);
    }
  }

 private:
  // An older object of an address that was handed out again before its free came.
  struct Late {
    std::uint64_t address = 0, until = 0;
    std::uint32_t not_by = 0;  // the thread that got the address: its own order is certain
    LiveObject object;
    bool freed = false;
  };
  // The latest free of an address.
  struct Recent {
    std::uint64_t address = 0, time = 0;
    std::uint32_t thread = kHiddenThread;
  };
  // A free whose object is yet to come.
  struct Owed {
    std::uint64_t address = 0, until = 0;
    std::uint32_t thread = 0;
    bool paid = false;
  };

  [[nodiscard]] Late* late_at(std::uint64_t address, std::uint32_t thread);
  void owe_or_count(std::uint64_t address, std::uint64_t time, std::uint32_t thread);

  std::uint64_t late_units_;
  WriterCounts& counts_;
  AddressMap objects_;
  std::deque<Late> late_;
  std::deque<Owed> owed_;
  std::vector<Recent> recent_;  // by address; none where there is one thread
};

}  // namespace heapmark::trace
