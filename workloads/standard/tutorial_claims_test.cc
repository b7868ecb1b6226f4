#include "workloads/standard/tutorial_claims.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <string>

using namespace heapmark;
using Catch::Contains;

namespace {

// An allocator that keeps all promises of the tutorial, on a machine without swap.
TutorialSeen by_the_book() {
  TutorialSeen seen;
  seen.a = {0, true, 8, 0, 8};
  seen.b = {32 * kKiB, true, 10, 0, 10};
  seen.c = {1'000'000 * kKiB, false, 50, 0, 50};
  seen.d = {72 * kKiB, true, 25, 0, 25};
  seen.e = {172 * kKiB, true, 13, 0, 13};
  seen.c_was_zero = true;
  seen.before_c = {236 * kKiB, 240 * kKiB, 72 * kKiB};
  seen.after_malloc_c = {236 * kKiB, 440 * kKiB, 72 * kKiB};
  seen.before_free_c = {236 * kKiB, 440 * kKiB, 372 * kKiB};
  seen.after_free_c = {236 * kKiB, 240 * kKiB, 172 * kKiB};
  seen.before_free_b = seen.after_free_b = seen.after_free_c;
  seen.again_offset = seen.b.offset;
  seen.before_free_d = seen.after_free_c;
  seen.after_free_d = {96 * kKiB, 100 * kKiB, 32 * kKiB};
  seen.probe_offset = seen.b.offset;
  return seen;
}

struct Verdicts {
  Claim claims[kClaims];
  explicit Verdicts(const TutorialSeen& seen) { decide_claims(seen, claims); }
  [[nodiscard]] double holds(int number) const { return claims[number - 1].holds; }
  [[nodiscard]] std::string text(int number) const { return claims[number - 1].text.c_str(); }
  // The numbers of the claims that fail.
  [[nodiscard]] std::string failing() const {
    std::string list;
    for (int number = 1; number <= kClaims; ++number)
      if (holds(number) == 0) list += std::to_string(number) + " ";
    return list;
  }
};

}  // namespace

TEST_CASE("by the book all claims hold but the last, which needs swap") {
  const Verdicts verdicts(by_the_book());
  CHECK(verdicts.failing().empty());
  CHECK(std::isnan(verdicts.holds(12)));
  CHECK_THAT(verdicts.text(12), Contains("no swap"));
  CHECK_THAT(verdicts.text(11), Contains("falls from +236K to +96K"));
}

TEST_CASE("with glibc's raised trim threshold only the trim fails, and the text says where the break stays") {
  TutorialSeen seen = by_the_book();
  seen.before_free_d.break_offset = seen.after_free_d.break_offset = 300 * kKiB;
  const Verdicts verdicts(seen);
  CHECK(verdicts.failing() == "11 ");
  CHECK_THAT(verdicts.text(11), Contains("stays +300K above the start"));
}

TEST_CASE("an allocator that takes nothing from the brk heap fails all that speak of it") {
  TutorialSeen seen = by_the_book();
  for (BlockSeen* block : {&seen.a, &seen.b, &seen.d, &seen.e}) block->in_brk_heap = false;
  seen.before_free_d.break_offset = seen.after_free_d.break_offset = 0;
  CHECK(Verdicts(seen).failing() == "1 3 5 9 10 11 ");
}

TEST_CASE("each claim fails on the figure that decides it") {
  const auto failing_with = [](auto&& change) {
    TutorialSeen seen = by_the_book();
    change(seen);
    return Verdicts(seen).failing();
  };
  CHECK(failing_with([](auto& s) { s.a.pages_before = 3, s.a.faults = 5; }) ==
        "2 ");                                                   // more than its headers
  CHECK(failing_with([](auto& s) { s.b.faults = 9; }) == "2 ");  // a page without a fault
  CHECK(failing_with([](auto& s) { s.b.pages_before = 2, s.b.faults = 8; }).empty());  // headers are allowed
  CHECK(failing_with([](auto& s) { s.a.offset = 200 * kKiB; }) == "3 ");
  CHECK(failing_with([](auto& s) { s.c_was_zero = false; }) == "4 ");
  CHECK(failing_with([](auto& s) { s.after_malloc_c = s.before_c; }) == "4 ");  // no mapping of its own
  CHECK(failing_with([](auto& s) { s.after_free_c.rss_bytes = s.before_free_c.rss_bytes; }) == "6 ");
  CHECK(failing_with([](auto& s) { s.after_free_b.rss_bytes -= 40 * kKiB; }) == "7 ");
  CHECK(failing_with([](auto& s) { s.again_offset = s.e.offset; }) == "8 ");
  CHECK(failing_with([](auto& s) { s.e.offset = s.b.offset; }) == "9 ");
  CHECK(failing_with([](auto& s) { s.probe_offset = s.d.offset; }) == "10 ");
}

TEST_CASE("a page read back from swap decides the last claim") {
  TutorialSeen seen = by_the_book();
  seen.paged_out = PagedOut::kReadBack;
  seen.major_faults = 1;
  CHECK(Verdicts(seen).holds(12) == 1);
  seen.major_faults = 0;
  CHECK(Verdicts(seen).holds(12) == 0);
  seen.paged_out = PagedOut::kNotEvicted;
  CHECK(std::isnan(Verdicts(seen).holds(12)));
}

TEST_CASE("without swap a page of a file decides the last claim, and the text keeps the two apart") {
  TutorialSeen seen = by_the_book();
  seen.paged_out = PagedOut::kFileReadBack;
  seen.major_faults = 1;
  CHECK(Verdicts(seen).holds(12) == 1);
  CHECK_THAT(Verdicts(seen).text(12), Contains("no swap") && Contains("mapped file"));
  CHECK_THAT(Verdicts(seen).text(12), Contains("took 1 major fault(s)"));  // it is not cut off
}
