// See kernel_calls.h.
#include "harness/ledger/kernel_calls.h"

#include <sys/mman.h>

#include <algorithm>

namespace heapmark::ledger {
namespace {

constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t whole_pages(std::uint64_t bytes) {
  return (bytes + kPage - 1) / kPage * kPage;
}

// brk(2) as a system call refuses without an error: it returns where the break still is.
bool is_refused(const KernelCall& call, bool failed, std::uint64_t result) {
  return failed || (call.call == Call::kBrk && call.args[0] != 0 && result != call.args[0]);
}

}  // namespace

KernelCalls::TakenOut KernelCalls::begins(const KernelCall& call) {
  const std::uint64_t start = call.args[0];
  switch (call.call) {
    case Call::kBrk:
      return anonymous_.remove(whole_pages(start), start == 0 ? 0 : whole_pages(break_));
    case Call::kMunmap:
    case Call::kMremap:
      return anonymous_.remove(start, start + whole_pages(call.args[1]));
    case Call::kMmap:
    case Call::kMadvise:
      break;
  }
  return {};
}

void KernelCalls::count(EventKind kind, std::uint64_t bytes) {
  if (!counting_) return;
  Tally& tally = tallies_[static_cast<std::size_t>(kind)];
  ++tally.count;
  tally.bytes += bytes;
  if (events_.size() < kMaxEvents)
    events_.push_back({time_ns_, kind, bytes, phase_});
  else
    ++dropped_;
}

void KernelCalls::brk(std::uint64_t result) {
  if (break_ != 0 && result > break_) {
    anonymous_.add(whole_pages(break_), whole_pages(result));
    count(EventKind::kBrkGrow, result - break_);
  } else if (break_ != 0 && result < break_) {
    count(EventKind::kTrim, break_ - result);
  }
  break_ = result;
}

void KernelCalls::mmap(const KernelCall& call, std::uint64_t result) {
  const std::uint64_t length = whole_pages(call.args[1]);
  anonymous_.remove(result, result + length);  // with MAP_FIXED something may have been there
  if ((call.args[3] & MAP_ANONYMOUS) == 0) return;
  anonymous_.add(result, result + length);
  count(EventKind::kMmap, length);
}

void KernelCalls::mremap(const KernelCall& call, const TakenOut& taken_out, std::uint64_t result) {
  if (taken_out.empty()) return;
  const std::uint64_t length = whole_pages(call.args[2]);
  anonymous_.add(result, result + length);
  count(EventKind::kMremap, length);
}

void KernelCalls::ends(const KernelCall& call, const TakenOut& taken_out, bool failed, std::uint64_t result,
                       bool counts, std::uint64_t time_ns, std::uint32_t phase) {
  if (counts && !has_baseline_) {
    baseline_ = anonymous_.total() + bytes_of(taken_out);
    has_baseline_ = true;
  }
  counting_ = counts;
  time_ns_ = time_ns;
  phase_ = phase;
  const bool refused = is_refused(call, failed, result);
  if (refused)
    for (const auto& [start, end] : taken_out) anonymous_.add(start, end);
  if (counts) {
    ++made_[static_cast<std::size_t>(call.call)];
    if (refused) ++refused_[static_cast<std::size_t>(call.call)];
  }
  if (failed) return;
  switch (call.call) {
    case Call::kBrk:
      brk(result);
      break;
    case Call::kMmap:
      mmap(call, result);
      break;
    case Call::kMremap:
      mremap(call, taken_out, result);
      break;
    case Call::kMunmap:
      if (!taken_out.empty()) count(EventKind::kRelease, bytes_of(taken_out));
      break;
    case Call::kMadvise:
      if (call.args[2] == MADV_DONTNEED || call.args[2] == MADV_FREE || call.args[2] == MADV_REMOVE)
        count(EventKind::kPurge, whole_pages(call.args[1]));
      break;
  }
  if (has_baseline_ && anonymous_.total() > baseline_)
    peak_ = std::max(peak_, anonymous_.total() - baseline_);
}

KernelCalls KernelCalls::forked() const {
  KernelCalls child;
  child.anonymous_ = anonymous_;
  child.break_ = break_;
  return child;
}

void KernelCalls::became_another_program() {
  anonymous_ = {};
  break_ = 0;
}

std::int64_t KernelCalls::mapped_end_bytes() const {
  return has_baseline_ ? static_cast<std::int64_t>(anonymous_.total() - baseline_) : 0;
}

}  // namespace heapmark::ledger
