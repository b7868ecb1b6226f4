// See tutorial_claims.h.
#include "workloads/standard/tutorial_claims.h"

#include "workloads/contract/report.h"

namespace heapmark {
namespace {

constexpr std::int64_t kPage = 4096;
// Headers beside a block may make a page of it resident before its owner touches it: one at each end.
constexpr std::int64_t kHeaderPages = 2;
// What a mapping of its own may take beyond the block: header, page rounding, guard pages.
constexpr std::int64_t kMappingSlack = 64 * kKiB;

void conclude(Claim& claim, bool holds) {
  claim.holds = holds ? 1 : 0;
}

const char* place_name(const BlockSeen& block) {
  return block.in_brk_heap ? "the brk heap" : "a mapping";
}

bool virtual_before_physical(const BlockSeen& block) {
  return block.pages_before <= kHeaderPages && block.faults == block.pages - block.pages_before;
}

Message& tell_pages(Message& text, const char* name, const BlockSeen& block) {
  return text.add(" ")
      .add(name)
      .add(" ")
      .add(block.pages_before)
      .add(" of ")
      .add(block.pages)
      .add(" pages, then ")
      .add(block.faults)
      .add(" faults;");
}

Message& tell_place(Message& text, const char* name, const BlockSeen& block) {
  return text.add(name).add(" lies in ").add(place_name(block)).add(" at ").add_bytes(block.offset, true);
}

}  // namespace

void decide_claims(const TutorialSeen& seen, Claim (&claims)[kClaims]) {
  for (Claim& claim : claims) claim = Claim();
  Claim* claim = claims;

  tell_place(claim->text.add("A=30K comes from the brk heap: "), "it", seen.a).add(" from the first break");
  conclude(*claim++, seen.a.in_brk_heap);

  claim->text.add("Virtual before physical; resident before the touch:");
  tell_pages(tell_pages(claim->text, "A", seen.a).add(""), "B", seen.b);
  tell_pages(tell_pages(claim->text, "C", seen.c).add(""), "D", seen.d);
  conclude(*claim++, virtual_before_physical(seen.a) && virtual_before_physical(seen.b) &&
                         virtual_before_physical(seen.c) && virtual_before_physical(seen.d));

  tell_place(claim->text.add("B=40K comes from the brk heap after A: "), "it", seen.b)
      .add(", A at ")
      .add_bytes(seen.a.offset, true);
  conclude(*claim++, seen.b.in_brk_heap && seen.b.offset >= seen.a.offset + kSizeA);

  const std::int64_t grown = seen.after_malloc_c.virtual_bytes - seen.before_c.virtual_bytes;
  claim->text.add("C=200K is a mapping of its own, zero-filled: it lies in ")
      .add(place_name(seen.c))
      .add(", the address space grew by ")
      .add_bytes(grown)
      .add(seen.c_was_zero ? ", all bytes zero" : ", not all bytes zero");
  conclude(*claim++,
           !seen.c.in_brk_heap && seen.c_was_zero && grown >= kSizeC && grown <= kSizeC + kMappingSlack);

  tell_place(claim->text.add("D=100K comes from the brk heap: "), "it", seen.d);
  conclude(*claim++, seen.d.in_brk_heap);

  const std::int64_t addresses_back = seen.before_free_c.virtual_bytes - seen.after_free_c.virtual_bytes;
  const std::int64_t pages_back = seen.before_free_c.rss_bytes - seen.after_free_c.rss_bytes;
  claim->text.add("free(C) gives addresses and pages back at once: virtual size falls by ")
      .add_bytes(addresses_back)
      .add(", RSS by ")
      .add_bytes(pages_back);
  conclude(*claim++, addresses_back >= kSizeC && pages_back >= kSizeC);

  const std::int64_t break_moved = seen.after_free_b.break_offset - seen.before_free_b.break_offset;
  const std::int64_t rss_moved = seen.after_free_b.rss_bytes - seen.before_free_b.rss_bytes;
  claim->text.add("free(B) changes neither break nor RSS: break ")
      .add_bytes(break_moved, true)
      .add(", RSS ")
      .add_bytes(rss_moved, true);
  conclude(*claim++, break_moved == 0 && rss_moved < kPage && rss_moved > -kPage);

  claim->text.add("40K asked for again get B's place: at ")
      .add_bytes(seen.again_offset, true)
      .add(", B was at ")
      .add_bytes(seen.b.offset, true);
  conclude(*claim++, seen.again_offset == seen.b.offset);

  const bool in_hole = seen.e.offset < seen.b.offset + kSizeB && seen.b.offset < seen.e.offset + kSizeE;
  claim->text.add("With D live E=50K does not fit B's hole of 40K, which stays: E at ")
      .add_bytes(seen.e.offset, true)
      .add(", hole at ")
      .add_bytes(seen.b.offset, true)
      .add(", in ")
      .add(place_name(seen.b));
  conclude(*claim++, !in_hole && seen.b.in_brk_heap && seen.d.in_brk_heap);

  claim->text.add("free(D) joins B and D: 120K asked for now lie at ")
      .add_bytes(seen.probe_offset, true)
      .add(", B was at ")
      .add_bytes(seen.b.offset, true)
      .add(", D at ")
      .add_bytes(seen.d.offset, true);
  conclude(*claim++, seen.b.in_brk_heap && seen.d.in_brk_heap && seen.probe_offset == seen.b.offset);

  const std::int64_t from = seen.before_free_d.break_offset, to = seen.after_free_d.break_offset;
  claim->text.add("More than the trim threshold free at the top lowers the break: it ");
  if (to < from)
    claim->text.add("falls from ").add_bytes(from, true).add(" to ").add_bytes(to, true);
  else
    claim->text.add("stays ").add_bytes(to, true).add(" above the start");
  conclude(*claim++, to < from);

  claim->text.add("A page that must come from disk is a major fault: ");
  switch (seen.paged_out) {
    case PagedOut::kNoSwap:
      claim->text.add("this machine has no swap, so no page of malloc's can go to disk");
      claim->holds = kNotMeasured;
      break;
    case PagedOut::kNotEvicted:
      claim->text.add("the kernel did not page A out when asked to (MADV_PAGEOUT)");
      claim->holds = kNotMeasured;
      break;
    case PagedOut::kFileReadBack:
      claim->text
          .add(
              "no swap, so none of malloc's can go there; a mapped file's page, dropped and read again, "
              "took ")
          .add(seen.major_faults)
          .add(" major fault(s)");
      conclude(*claim, seen.major_faults > 0);
      break;
    case PagedOut::kReadBack:
      claim->text.add("reading A's first page after MADV_PAGEOUT took ")
          .add(seen.major_faults)
          .add(" major fault(s)");
      conclude(*claim, seen.major_faults > 0);
      break;
  }
}

}  // namespace heapmark
