#include "harness/ledger/kernel_calls.h"

#include <sys/mman.h>

#include <catch2/catch.hpp>

using namespace heapmark::ledger;

namespace {

constexpr std::uint64_t kPage = 4096;

class Process {
 public:
  KernelCalls calls;
  void call(Call which, std::uint64_t a, std::uint64_t b, std::uint64_t c, std::uint64_t d,
            std::uint64_t result, bool failed = false, bool counts = true) {
    const KernelCall call{which, {a, b, c, d, 0, 0}};
    const KernelCalls::TakenOut taken_out = calls.begins(call);
    calls.ends(call, taken_out, failed, result, counts, ++time_, 0);
  }
  void map(std::uint64_t at, std::uint64_t pages, bool counts = true) {
    call(Call::kMmap, 0, pages * kPage, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, at, false, counts);
  }
  void unmap(std::uint64_t at, std::uint64_t pages, bool failed = false) {
    call(Call::kMunmap, at, pages * kPage, 0, 0, 0, failed);
  }
  void brk(std::uint64_t to, bool counts = true) { call(Call::kBrk, to, 0, 0, 0, to, false, counts); }

 private:
  std::uint64_t time_ = 0;
};

}  // namespace

TEST_CASE("asking for the break is no growth and no trim") {
  Process process;
  process.brk(0x100000, false);  // the first answer tells where the break is
  process.brk(0x100000);
  CHECK(process.calls.tally(EventKind::kBrkGrow).count == 0);
  process.brk(0x104000);
  process.brk(0x101000);
  CHECK(process.calls.tally(EventKind::kBrkGrow).bytes == 0x4000);
  CHECK(process.calls.tally(EventKind::kTrim).count == 1);
  CHECK(process.calls.tally(EventKind::kTrim).bytes == 0x3000);
  CHECK(process.calls.mapped_peak_bytes() == 0x4000);
  CHECK(process.calls.mapped_end_bytes() == 0x1000);
}

TEST_CASE("what was mapped before the workload is the baseline") {
  Process process;
  process.map(0x10000, 8, false);
  process.map(0x40000, 2);
  CHECK(process.calls.mapped_peak_bytes() == 2 * kPage);
  process.unmap(0x10000, 8);
  CHECK(process.calls.mapped_end_bytes() == -6 * static_cast<std::int64_t>(kPage));
  CHECK(process.calls.tally(EventKind::kRelease).bytes == 8 * kPage);
}

TEST_CASE("a hole in the brk heap is a release, and a trim across it takes only what was left") {
  Process process;
  process.brk(0x100000, false);
  process.brk(0x110000);
  process.unmap(0x104000, 4);
  CHECK(process.calls.tally(EventKind::kRelease).bytes == 4 * kPage);
  process.brk(0x100000);
  CHECK(process.calls.mapped_end_bytes() == 0);
}

TEST_CASE("a file's mapping is no memory of malloc's, and unmapping it no release") {
  Process process;
  process.call(Call::kMmap, 0, 4 * kPage, PROT_READ, MAP_PRIVATE, 0x50000);
  process.unmap(0x50000, 4);
  CHECK(process.calls.tally(EventKind::kMmap).count == 0);
  CHECK(process.calls.tally(EventKind::kRelease).count == 0);
}

TEST_CASE("calls that failed change nothing") {
  Process process;
  process.map(0x10000, 4);
  process.unmap(0x10000, 4, true);
  process.call(Call::kMmap, 0, kPage, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, 0, true);
  process.call(Call::kMadvise, 0x10000, kPage, MADV_DONTNEED, 0, 0, true);
  CHECK(process.calls.tally(EventKind::kRelease).count == 0);
  CHECK(process.calls.tally(EventKind::kPurge).count == 0);
  CHECK(process.calls.tally(EventKind::kMmap).count == 1);
  CHECK(process.calls.mapped_end_bytes() == 4 * static_cast<std::int64_t>(kPage));
}

TEST_CASE("every call made is counted, and how many of each kind were refused") {
  Process process;
  process.brk(0x100000, false);  // before the workload: of no interest
  process.brk(0x104000);
  process.call(Call::kBrk, 0, 0, 0, 0, 0x104000);         // asks where the break is: not refused
  process.call(Call::kBrk, 0x900000, 0, 0, 0, 0x104000);  // growth refused
  process.call(Call::kBrk, 0x101000, 0, 0, 0, 0x104000);  // trim refused
  process.map(0x200000, 4);
  process.call(Call::kMremap, 0x200000, 4 * kPage, 16 * kPage, 1, 0, true);
  process.call(Call::kMremap, 0x200000, 4 * kPage, 16 * kPage, 1, 0x900000);
  process.call(Call::kMadvise, 0x900000, kPage, MADV_HUGEPAGE, 0, 0);  // no purge, and not refused
  CHECK(process.calls.made(Call::kBrk) == 4);
  CHECK(process.calls.refused(Call::kBrk) == 2);
  CHECK(process.calls.made(Call::kMmap) == 1);
  CHECK(process.calls.refused(Call::kMmap) == 0);
  CHECK(process.calls.made(Call::kMremap) == 2);
  CHECK(process.calls.refused(Call::kMremap) == 1);
  CHECK(process.calls.made(Call::kMadvise) == 1);
  CHECK(process.calls.refused(Call::kMadvise) == 0);
  CHECK(process.calls.made(Call::kMunmap) == 0);
  CHECK(process.calls.mapped_end_bytes() == 20 * static_cast<std::int64_t>(kPage));
}

TEST_CASE("addresses given to another thread before the end of an munmap was seen stay held") {
  KernelCalls calls;
  const KernelCall map{Call::kMmap, {0, 2 * kPage, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, 0, 0}};
  calls.ends(map, calls.begins(map), false, 0x10000, true, 1, 0);
  const KernelCall unmap{Call::kMunmap, {0x10000, 2 * kPage, 0, 0, 0, 0}};
  const KernelCalls::TakenOut taken_out = calls.begins(unmap);
  calls.ends(map, calls.begins(map), false, 0x10000, true, 2, 0);  // the same addresses, to another thread
  calls.ends(unmap, taken_out, false, 0, true, 3, 0);
  CHECK(calls.mapped_end_bytes() == 2 * static_cast<std::int64_t>(kPage));
  CHECK(calls.tally(EventKind::kRelease).bytes == 2 * kPage);
}

TEST_CASE("more events than a results file can bear are counted as dropped, and still tallied") {
  Process process;
  process.brk(0x100000, false);
  for (std::size_t at = 1; at <= KernelCalls::kMaxEvents + 10; ++at) process.brk(0x100000 + at * kPage);
  CHECK(process.calls.events().size() == KernelCalls::kMaxEvents);
  CHECK(process.calls.dropped_events() == 10);
  CHECK(process.calls.tally(EventKind::kBrkGrow).count == KernelCalls::kMaxEvents + 10);
}

TEST_CASE("a refused munmap or trim puts back what it had taken out, and nothing more") {
  Process process;
  process.brk(0x100000, false);
  process.brk(0x108000);
  process.map(0x200000, 2);
  process.unmap(0x1FF000, 8, true);  // only two of these pages are there
  CHECK(process.calls.mapped_end_bytes() == 10 * static_cast<std::int64_t>(kPage));
  process.call(Call::kBrk, 0x104000, 0, 0, 0, 0x108000);  // brk(2) refuses by leaving the break where it is
  CHECK(process.calls.mapped_end_bytes() == 10 * static_cast<std::int64_t>(kPage));
  CHECK(process.calls.tally(EventKind::kTrim).count == 0);
}

TEST_CASE("a mapping that is moved and grown counts once, with its new length") {
  Process process;
  process.map(0x200000, 4);
  process.call(Call::kMremap, 0x200000, 4 * kPage, 16 * kPage, 1, 0x900000);
  CHECK(process.calls.tally(EventKind::kMremap).count == 1);
  CHECK(process.calls.tally(EventKind::kMremap).bytes == 16 * kPage);
  CHECK(process.calls.mapped_end_bytes() == 16 * static_cast<std::int64_t>(kPage));
  process.unmap(0x200000, 4);  // nothing is there any more
  CHECK(process.calls.tally(EventKind::kRelease).count == 0);
}
