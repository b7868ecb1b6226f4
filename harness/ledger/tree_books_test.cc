#include "harness/ledger/tree_books.h"

#include <sys/mman.h>

#include <catch2/catch.hpp>

using namespace heapmark::ledger;

namespace {

constexpr std::uint64_t kPage = 4096;

void map(TreeBooks& books, pid_t process, std::uint64_t at, std::uint64_t pages, std::uint64_t time_ns = 0) {
  const KernelCall call{Call::kMmap, {0, pages * kPage, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, 0, 0}};
  const auto taken = books.of(process).begins(call);
  books.of(process).ends(call, taken, false, at, true, time_ns, 0);
  books.settle();
}

void unmap(TreeBooks& books, pid_t process, std::uint64_t at, std::uint64_t pages) {
  const KernelCall call{Call::kMunmap, {at, pages * kPage, 0, 0, 0, 0}};
  const auto taken = books.of(process).begins(call);
  books.of(process).ends(call, taken, false, 0, true, 0, 0);
  books.settle();
}

}  // namespace

TEST_CASE("calls of all processes are summed, also of those that have ended") {
  TreeBooks books;
  books.starts(1, -1);
  map(books, 1, 0x10000, 4);
  books.starts(2, 1);
  map(books, 2, 0x90000, 2);
  books.ends(2);
  CHECK(books.tally(EventKind::kMmap).count == 2);
  CHECK(books.tally(EventKind::kMmap).bytes == 6 * kPage);
  CHECK(books.made(Call::kMmap) == 2);
  CHECK(books.running() == 1);
}

TEST_CASE("a forked process has its parent's memory, and what it gives back is a release") {
  TreeBooks books;
  books.starts(1, -1);
  map(books, 1, 0x10000, 4);
  books.starts(2, 1);
  CHECK(books.mapped_peak_bytes() == 8 * kPage);
  unmap(books, 2, 0x10000, 4);
  CHECK(books.tally(EventKind::kRelease).bytes == 4 * kPage);
  CHECK(books.of(1).mapped_bytes() == 4 * kPage);
  CHECK(books.of(2).mapped_bytes() == 0);
}

TEST_CASE("another program begins without memory, and keeps what was counted") {
  TreeBooks books;
  books.starts(1, -1);
  map(books, 1, 0x10000, 4);
  books.becomes_another_program(1);
  CHECK(books.of(1).mapped_bytes() == 0);
  CHECK(books.tally(EventKind::kMmap).count == 1);
  unmap(books, 1, 0x10000, 4);
  CHECK(books.tally(EventKind::kRelease).count == 0);
}

TEST_CASE("the events of all processes come in order of time") {
  TreeBooks books;
  books.starts(1, -1);
  books.starts(2, -1);
  map(books, 1, 0x10000, 1, 5);
  map(books, 2, 0x10000, 2, 3);
  map(books, 1, 0x20000, 3, 9);
  books.ends(1);
  const auto events = books.events();
  REQUIRE(events.size() == 3);
  CHECK(events[0].bytes == 2 * kPage);
  CHECK(events[1].time_ns == 5);
  CHECK(events[2].bytes == 3 * kPage);
  CHECK(books.dropped_events() == 0);
  CHECK(books.mapped_end_bytes() == 4 * kPage);
}
