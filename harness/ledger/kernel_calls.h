// What a process asked of the kernel for its heap, call by call: the ledger's bookkeeping. Pure: calls with
// their results in, counters and events out; who watches the process is os_ledger.h.
//
//   trim     the break was lowered                         bytes: by how much
//   purge    madvise DONTNEED, FREE or REMOVE              bytes: the length asked for
//   release  munmap that hit anonymous memory              bytes: the anonymous part of it
//   mmap     of anonymous memory (a file's is no malloc's business)
//   A brk that leaves the break where it is (brk(0) asks for it) is none of these, and neither is a call that
//   the kernel refused. Both are counted all the same: made() has every call, refused() those that failed.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/ledger/address_ranges.h"

namespace heapmark::ledger {

enum class Call { kBrk, kMmap, kMunmap, kMremap, kMadvise };
inline constexpr std::size_t kCallKinds = 5;
enum class EventKind { kBrkGrow = 0, kTrim = 1, kMmap = 2, kRelease = 3, kPurge = 4, kMremap = 5 };

struct KernelCall {
  Call call;
  std::uint64_t args[6];
};

struct Event {
  std::uint64_t time_ns;
  EventKind kind;
  std::uint64_t bytes;
  std::uint32_t phase;
};

struct Tally {
  std::uint64_t count = 0, bytes = 0;
};

class KernelCalls {
 public:
  static constexpr std::size_t kMaxEvents =
      4000;  // what a results file can bear; the rest is counted as dropped

  // What a call is about to take away; given back to the books where it fails.
  using TakenOut = std::vector<AddressRanges::Range>;

  // Before the call is let through: takes out what it is about to unmap, since another thread may be given
  // the same addresses before the end of this call is seen. Returns what was taken out, for ends().
  [[nodiscard]] TakenOut begins(const KernelCall& call);
  // After it. `result` is what the kernel returned, `counts` whether the workload was running when it began.
  void ends(const KernelCall& call, const TakenOut& taken_out, bool failed, std::uint64_t result, bool counts,
            std::uint64_t time_ns, std::uint32_t phase);

  // The books of a process that this one forked: the same memory, and nothing counted yet.
  [[nodiscard]] KernelCalls forked() const;
  // Another program takes the process's place: its memory is gone, what was counted stays.
  void became_another_program();
  // Address space of anonymous memory now.
  [[nodiscard]] std::uint64_t mapped_bytes() const { return anonymous_.total(); }

  [[nodiscard]] const Tally& tally(EventKind kind) const { return tallies_[static_cast<std::size_t>(kind)]; }
  // Every call that began while the workload ran, whatever came of it, and those of them that were refused.
  [[nodiscard]] std::uint64_t made(Call call) const { return made_[static_cast<std::size_t>(call)]; }
  [[nodiscard]] std::uint64_t refused(Call call) const { return refused_[static_cast<std::size_t>(call)]; }
  // Address space of anonymous memory above what was held when the first counted call was made.
  [[nodiscard]] std::uint64_t mapped_peak_bytes() const { return peak_; }
  [[nodiscard]] std::int64_t mapped_end_bytes() const;
  [[nodiscard]] const std::vector<Event>& events() const { return events_; }
  [[nodiscard]] std::uint64_t dropped_events() const { return dropped_; }

 private:
  void count(EventKind kind, std::uint64_t bytes);
  void brk(std::uint64_t result);
  void mmap(const KernelCall& call, std::uint64_t result);
  void mremap(const KernelCall& call, const TakenOut& taken_out, std::uint64_t result);

  AddressRanges anonymous_;
  std::uint64_t break_ = 0;
  Tally tallies_[6];
  std::uint64_t made_[kCallKinds] = {}, refused_[kCallKinds] = {};
  std::vector<Event> events_;
  std::uint64_t dropped_ = 0;
  bool counting_ = false, has_baseline_ = false;
  std::uint64_t baseline_ = 0, peak_ = 0, time_ns_ = 0;
  std::uint32_t phase_ = 0;
};

}  // namespace heapmark::ledger
