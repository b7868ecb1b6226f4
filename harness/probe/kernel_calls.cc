// See kernel_calls.h.
#include "harness/probe/kernel_calls.h"

#include <sys/mman.h>

#include <algorithm>

namespace heapmark::probe {
namespace {

constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t whole_pages(std::uint64_t bytes) {
  return (bytes + kPage - 1) / kPage * kPage;
}

}  // namespace

std::uint64_t KernelCalls::begins(const KernelCall& call) {
  if (call.call != Call::kMunmap) return 0;
  return anonymous_.remove(call.args[0], call.args[0] + whole_pages(call.args[1]));
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
    anonymous_.add(break_, result);
    count(EventKind::kBrkGrow, result - break_);
  } else if (break_ != 0 && result < break_) {
    anonymous_.remove(whole_pages(result), whole_pages(break_));
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

void KernelCalls::mremap(const KernelCall& call, std::uint64_t result) {
  const std::uint64_t from = call.args[0], old_length = whole_pages(call.args[1]),
                      length = whole_pages(call.args[2]);
  if (anonymous_.overlap(from, from + std::max(old_length, kPage)) == 0) return;
  anonymous_.remove(from, from + old_length);
  anonymous_.add(result, result + length);
  count(EventKind::kMremap, length);
}

void KernelCalls::ends(const KernelCall& call, std::uint64_t taken_out, bool failed, std::uint64_t result,
                       bool counts, std::uint64_t time_ns, std::uint32_t phase) {
  const std::uint64_t start = call.args[0], length = whole_pages(call.args[1]);
  if (counts && !has_baseline_) {
    baseline_ = anonymous_.total() + taken_out;
    has_baseline_ = true;
  }
  counting_ = counts;
  time_ns_ = time_ns;
  phase_ = phase;
  if (failed) {
    if (taken_out > 0) anonymous_.add(start, start + length);  // a refused munmap (ENOMEM) took nothing
    return;
  }
  switch (call.call) {
    case Call::kBrk:
      brk(result);
      break;
    case Call::kMmap:
      mmap(call, result);
      break;
    case Call::kMremap:
      mremap(call, result);
      break;
    case Call::kMunmap:
      if (taken_out > 0) count(EventKind::kRelease, taken_out);
      break;
    case Call::kMadvise:
      if (call.args[2] == MADV_DONTNEED || call.args[2] == MADV_FREE || call.args[2] == MADV_REMOVE)
        count(EventKind::kPurge, length);
      break;
  }
  if (has_baseline_ && anonymous_.total() > baseline_)
    peak_ = std::max(peak_, anonymous_.total() - baseline_);
}

std::int64_t KernelCalls::mapped_end_bytes() const {
  return has_baseline_ ? static_cast<std::int64_t>(anonymous_.total() - baseline_) : 0;
}

}  // namespace heapmark::probe
