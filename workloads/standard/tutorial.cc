// The malloc tutorial's sequence: A=30K, B=40K, C=200K, D=100K, free C, free B, 40K again and free, E=50K
// while D lives, free E, free D. Observes where each block lies and what the kernel says before and after the
// first touch, and decides the tutorial's claims. In the speed and latency passes
// the sequence is only repeated and timed.
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

#include <cstring>

#include "workloads/calls.h"
#include "workloads/context.h"
#include "workloads/standard/tutorial_claims.h"

namespace heapmark {
namespace {

constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kOperations = 12;  // six requests, six frees

constexpr Parameter kParameters[] = {
    {"repeats", Kind::kCount, "40000", "", 1, 1e9,
     "how often the speed and latency passes run the sequence; other passes run it once"},
};

constexpr Variant kVariants[] = {
    {"sequence", kSpeed | kMemory | kLedger | kLatency, "", "repeats=10000"},
};

constexpr MetricInfo kMetrics[] = {
    {"claims_held", "count", Better::kHigher, kMemory, true,
     "of the tutorial's twelve claims, those that were seen to hold"},
    {"claims_decided", "count", Better::kNeither, kMemory, false,
     "of the twelve, those that this machine can decide"},
    {"break_end_bytes", "bytes", Better::kLower, kMemory, true,
     "program break above its start after free(D)"},
};

extern "C" char
    _end;  // the end of the program's own data: the brk heap begins above it, libraries lie far off

int steps_table, claims_table;
int step_number;

bool in_brk_heap(const void* block) {
  const auto address = reinterpret_cast<std::uintptr_t>(block);
  return address > reinterpret_cast<std::uintptr_t>(&_end) &&
         address < static_cast<std::uintptr_t>(syscall(SYS_brk, 0));
}

std::int64_t page_number(const void* address) {
  return static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(address) / kPage);
}

std::int64_t resident_pages(const void* block, std::int64_t bytes) {
  constexpr std::int64_t kMaxPages = 64;
  const std::int64_t first = page_number(block),
                     last = page_number(static_cast<const char*>(block) + bytes - 1);
  unsigned char resident[kMaxPages];
  if (last - first >= kMaxPages ||
      mincore(reinterpret_cast<void*>(static_cast<std::uintptr_t>(first) * kPage),
              static_cast<std::size_t>(last - first + 1) * kPage, resident) != 0)
    return -1;
  std::int64_t count = 0;
  for (std::int64_t page = 0; page <= last - first; ++page) count += resident[page] & 1;
  return count;
}

// Writes one byte into each page that the block has a part of.
void touch(void* block, std::int64_t bytes) {
  volatile char* const first = static_cast<char*>(block);
  first[0] = 'x';
  const auto misaligned = reinterpret_cast<std::uintptr_t>(block) % kPage;
  for (std::int64_t at = static_cast<std::int64_t>(kPage - misaligned); at < bytes; at += kPage)
    first[at] = 'x';
}

// Whether the bytes that touch() did not write are all zero.
bool rest_is_zero(const void* block, std::int64_t bytes) {
  const char* const first = static_cast<const char*>(block);
  for (std::int64_t at = 0; at < bytes; ++at) {
    const bool touched =
        at == 0 || (reinterpret_cast<std::uintptr_t>(first) + static_cast<std::uintptr_t>(at)) % kPage == 0;
    if (!touched && first[at] != 0) return false;
  }
  return true;
}

void* request(Context& context, std::int64_t bytes) {
  void* const block = ask(static_cast<std::size_t>(bytes));
  if (block == nullptr)
    context.fail(Outcome::kOutOfMemory, "a block of the sequence (30K to 200K) was refused");
  return block;
}

class Story {
 public:
  explicit Story(Context& context) : context_(context) {}

  // One row of the table `steps`; `letter` 1 is A. `live_bytes` 0: the block is gone.
  Moment row(const char* text, int letter, const void* block, std::int64_t live_bytes, bool touched) {
    const Observation now = context_.observe();
    const std::int64_t start = static_cast<std::int64_t>(syscall(SYS_brk, 0)) - now.break_offset;
    const bool has_block = block != nullptr && live_bytes > 0;
    const double offset =
        has_block ? static_cast<double>(reinterpret_cast<std::intptr_t>(block) - start) : kNotMeasured;
    const double place = !has_block ? 0 : in_brk_heap(block) ? 1 : 2;
    const auto number = [](auto value) { return static_cast<double>(value); };
    context_.add_row(steps_table,
                     {number(step_number), touched ? 1.0 : 0.0, offset, place, number(now.break_offset),
                      number(now.virtual_bytes), number(now.rss_bytes), number(now.minor_faults),
                      number(now.major_faults), number(letter), number(live_bytes)},
                     text);
    return {now.break_offset, static_cast<std::int64_t>(now.virtual_bytes),
            static_cast<std::int64_t>(now.rss_bytes)};
  }

  std::int64_t offset_of(const void* block) {
    const std::int64_t start =
        static_cast<std::int64_t>(syscall(SYS_brk, 0)) - context_.observe().break_offset;
    return reinterpret_cast<std::intptr_t>(block) - start;
  }

  void* take(const char* name, int letter, std::int64_t bytes, BlockSeen& seen, Moment& after_malloc) {
    ++step_number;
    void* const block = request(context_, bytes);
    seen.pages_before = resident_pages(block, bytes);
    seen.in_brk_heap = in_brk_heap(block);
    seen.offset = offset_of(block);
    seen.pages = page_number(static_cast<char*>(block) + bytes - 1) - page_number(block) + 1;
    Message text;
    after_malloc =
        row(text.add(name).add(" = malloc(").add_bytes(bytes).add(")").c_str(), letter, block, bytes, false);
    const std::uint64_t before = context_.observe().minor_faults;
    touch(block, bytes);
    seen.faults = static_cast<std::int64_t>(context_.observe().minor_faults - before);
    Message touched;
    row(touched.add("the program writes to each page of ").add(name).c_str(), letter, block, bytes, true);
    return block;
  }

  Moment give(const char* name, int letter, void* block) {
    ++step_number;
    free(block);
    Message text;
    return row(text.add("free(").add(name).add(")").c_str(), letter, nullptr, 0, false);
  }

  Moment now() {
    const Observation seen = context_.observe();
    return {seen.break_offset, static_cast<std::int64_t>(seen.virtual_bytes),
            static_cast<std::int64_t>(seen.rss_bytes)};
  }

 private:
  Context& context_;
};

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

bool is_resident(const void* page) {
  unsigned char resident = 1;
  return mincore(const_cast<void*>(page), kPage, &resident) != 0 || (resident & 1) != 0;
}

// Has the kernel page the page out. Written to swap it stays in the swap cache, resident still; read back
// from there it is clean, and the next time it can be dropped. How long the writing takes is the disk's.
bool page_out(volatile char* page) {
  constexpr int kTries = 14;
  timespec writing{0, 3'000'000};  // doubled up to 0.8 s: 5 s in all
  // By the raw call, and of a page of the program's own: the ledger does not take MADV_PAGEOUT for a purge.
  void* const address = const_cast<char*>(page);
  for (int tried = 0; tried < kTries; ++tried) {
    if (madvise(address, kPage, MADV_PAGEOUT) != 0) return false;
    if (!is_resident(address)) return true;
    nanosleep(&writing, nullptr);
    if (writing.tv_nsec < 500'000'000) writing.tv_nsec *= 2;
    (void)*page;
  }
  return false;
}

// A major fault without swap: a page of a file, dropped from the page cache and read again. The file has no
// name, so nothing of it is left.
void try_fault_of_file(Context& context, TutorialSeen& seen) {
  const int fd = open("/var/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd < 0) return;
  static const char content[kPage] = {'x'};
  if (write(fd, content, kPage) == static_cast<ssize_t>(kPage) && fdatasync(fd) == 0 &&
      posix_fadvise(fd, 0, kPage, POSIX_FADV_DONTNEED) == 0) {
    void* const mapped = mmap(nullptr, kPage, PROT_READ, MAP_PRIVATE, fd, 0);
    if (mapped != MAP_FAILED && !is_resident(mapped)) {
      const std::uint64_t before = context.observe().major_faults;
      (void)*static_cast<volatile char*>(mapped);
      seen.paged_out = PagedOut::kFileReadBack;
      seen.major_faults = static_cast<std::int64_t>(context.observe().major_faults - before);
    }
    if (mapped != MAP_FAILED) munmap(mapped, kPage);
  }
  close(fd);
}

// Has the kernel page A out, where there is swap, and reads it again.
void try_major_fault(Context& context, void* block, TutorialSeen& seen) {
  struct sysinfo machine {};
  if (sysinfo(&machine) != 0 || machine.totalswap == 0) {
    try_fault_of_file(context, seen);
    return;
  }
  const auto first = (reinterpret_cast<std::uintptr_t>(block) + kPage - 1) / kPage * kPage;
  volatile char* const page = reinterpret_cast<char*>(first);
  seen.paged_out = PagedOut::kNotEvicted;
  if (!page_out(page)) return;
  const std::uint64_t before = context.observe().major_faults;
  (void)*page;
  seen.paged_out = PagedOut::kReadBack;
  seen.major_faults = static_cast<std::int64_t>(context.observe().major_faults - before);
}

void check_fill(Context& context, void* block, std::int64_t bytes, int letter) {
  if (context.checking()) std::memset(block, 'a' + letter, static_cast<std::size_t>(bytes));
}

void check_verify(Context& context, const void* block, std::int64_t bytes, int letter) {
  if (!context.checking()) return;
  if (reinterpret_cast<std::uintptr_t>(block) % 16 != 0)
    context.fail(Outcome::kCheckFailed, "a block is not aligned to 16 bytes");
  for (std::int64_t at = 0; at < bytes; ++at)
    if (static_cast<const char*>(block)[at] != 'a' + letter)
      context.fail(Outcome::kCheckFailed, "a live block's contents were changed");
}

void tell_once(Context& context) {
  TutorialSeen seen;
  Story story(context);
  Moment ignored;
  step_number = 0;
  story.row("at the start: nothing asked for yet", 0, nullptr, 0, false);
  void* const a = story.take("A", 1, kSizeA, seen.a, ignored);
  check_fill(context, a, kSizeA, 1);
  void* const b = story.take("B", 2, kSizeB, seen.b, ignored);
  check_fill(context, b, kSizeB, 2);
  seen.before_c = story.now();
  void* const c = story.take("C", 3, kSizeC, seen.c, seen.after_malloc_c);
  seen.c_was_zero = rest_is_zero(c, kSizeC);
  check_fill(context, c, kSizeC, 3);
  void* const d = story.take("D", 4, kSizeD, seen.d, ignored);
  check_fill(context, d, kSizeD, 4);
  check_verify(context, a, kSizeA, 1);
  check_verify(context, b, kSizeB, 2);
  check_verify(context, c, kSizeC, 3);

  seen.before_free_c = story.now();
  seen.after_free_c = story.give("C", 3, c);
  seen.before_free_b = story.now();
  seen.after_free_b = story.give("B", 2, b);

  BlockSeen again;
  void* const b_again = story.take("B", 2, kSizeB, again, ignored);
  seen.again_offset = again.offset;
  story.give("B", 2, b_again);
  void* const e = story.take("E", 5, kSizeE, seen.e, ignored);
  check_verify(context, d, kSizeD, 4);
  story.give("E", 5, e);
  seen.before_free_d = story.now();
  seen.after_free_d = story.give("D", 4, d);
  context.metric("break_end_bytes", static_cast<double>(seen.after_free_d.break_offset));

  void* const probe = request(context, kSizeProbe);
  seen.probe_offset = story.offset_of(probe);
  free(probe);
  check_verify(context, a, kSizeA, 1);
  try_major_fault(context, a, seen);
  free(a);

  Claim claims[kClaims];
  decide_claims(seen, claims);
  double held = 0, decided = 0;
  for (int at = 0; at < kClaims; ++at) {
    context.add_row(claims_table, {static_cast<double>(at + 1), claims[at].holds}, claims[at].text.c_str());
    if (claims[at].holds == 1) ++held;
    if (claims[at].holds == claims[at].holds) ++decided;
  }
  context.metric("claims_held", held);
  context.metric("claims_decided", decided);
}

void run_plain(Context& context) {
  void* const a = request(context, kSizeA);
  touch(a, kSizeA);
  void* const b = request(context, kSizeB);
  touch(b, kSizeB);
  void* const c = request(context, kSizeC);
  touch(c, kSizeC);
  void* const d = request(context, kSizeD);
  touch(d, kSizeD);
  free_block(c, kSizeC);
  free_block(b, kSizeB);
  void* const b_again = request(context, kSizeB);
  touch(b_again, kSizeB);
  free_block(b_again, kSizeB);
  void* const e = request(context, kSizeE);
  touch(e, kSizeE);
  free_block(e, kSizeE);
  free_block(d, kSizeD);
  free_block(a, kSizeA);
}

void prepare(Context& context) {
  if (context.pass() != kMemory) return;
  steps_table =
      context.open_table("steps",
                         {"step", "touched", "address_offset", "place", "break_offset", "virtual_bytes",
                          "rss_bytes", "minor_faults", "major_faults", "block", "block_bytes"},
                         32, true);
  claims_table = context.open_table("claims", {"claim", "holds"}, kClaims, true);
}

void run(Context& context) {
  context.phase("sequence");
  const bool repeated = context.pass() == kSpeed || context.pass() == kLatency;
  const std::uint64_t repeats = repeated ? context.count("repeats") : 1;
  context.start_clock(repeats);
  if (context.pass() == kMemory)
    tell_once(context);
  else
    for (std::uint64_t at = 0; at < repeats; ++at) {
      context.slice(at);
      run_plain(context);
    }
  context.stop_clock(repeats, repeats * kOperations);
}

constexpr Workload kTutorial{"tutorial",  "the malloc tutorial's sequence: brk heap, mapping, fragment, trim",
                             kParameters, kVariants,
                             kMetrics,    prepare,
                             run};

HEAPMARK_WORKLOAD(kTutorial)

}  // namespace
}  // namespace heapmark
