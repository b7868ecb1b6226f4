// Every function that gives blocks, with each size, count and alignment around each power of two up to
// 2^64-1: the answer is a block as asked for, or null with the errno that glibc 2.36 documents (malloc(3),
// posix_memalign(3)). What is large is refused by a limit of address space, so that no check fills much.
#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <new>
#include <string>

#include "allocators/tests/check.h"
#include "allocators/tests/process_figures.h"

using namespace heapmark::conformance;
namespace process = heapmark::process;

namespace {

constexpr std::size_t kMebibyte = std::size_t{1} << 20;
constexpr std::size_t kHeadroom = 24 * kMebibyte;  // of address space, while all pairs are tried
constexpr std::size_t kTouched = 64 * kMebibyte;   // larger blocks are not written to
constexpr std::size_t kAlwaysHad = kMebibyte;      // so much must be given, limit or not
constexpr std::size_t kPage = 4096;
constexpr std::size_t kOverflow = SIZE_MAX;  // as a total: no block can hold it

struct Values {
  std::size_t list[64 * 3 + 1];
  std::size_t count = 0;
};

// p - 1, p and p + 1 of each power of two, and 2^64 - 1; once each.
const Values& values() {
  static const Values all = [] {
    Values made;
    for (std::size_t power = 1; power != 0; power *= 2)
      for (const std::size_t value : {power - 1, power, power + 1})
        if (made.count == 0 || value > made.list[made.count - 1]) made.list[made.count++] = value;
    made.list[made.count++] = SIZE_MAX;
    return made;
  }();
  return all;
}

struct Asked {
  const char* function;
  std::size_t first, second;  // as handed over
  std::size_t bytes;          // that the block must hold; kOverflow: it must be refused
  std::size_t alignment = 1;
  int other_errno = 0;  // a refusal may say this too
};

std::string in_words(const Asked& asked, const char* what) {
  return std::string(asked.function) + "(" + std::to_string(asked.first) + ", " +
         std::to_string(asked.second) + "): " + what;
}

// Judges an answer and frees the block.
std::string judged(const Asked& asked, void* block, int error) {
  if (block == nullptr) {
    if (error != ENOMEM && (asked.other_errno == 0 || error != asked.other_errno))
      return in_words(asked, "null, but errno ") + std::to_string(error);
    if (asked.bytes <= kAlwaysHad && asked.alignment <= kAlwaysHad && asked.other_errno == 0)
      return in_words(asked, "refused");
    return "";
  }
  if (asked.bytes > PTRDIFF_MAX) return in_words(asked, "a block that no pointer difference can span");
  if (!is_aligned(block, asked.alignment)) return in_words(asked, "not aligned");
  if (malloc_usable_size(block) < asked.bytes) return in_words(asked, "too few usable bytes");
  if (asked.bytes != 0 && asked.bytes <= kTouched) {
    auto* bytes = static_cast<volatile unsigned char*>(block);
    bytes[0] = 0x11;
    bytes[asked.bytes - 1] = 0x22;
  }
  std::free(block);
  return "";
}

std::size_t product(std::size_t one, std::size_t other) {
  std::size_t bytes = 0;
  return __builtin_mul_overflow(one, other, &bytes) ? kOverflow : bytes;
}

// What glibc makes of an alignment that is no power of two; EINVAL is as right.
std::size_t rounded_alignment(std::size_t alignment) {
  if (alignment > PTRDIFF_MAX) return alignment == std::size_t{1} << 63 ? alignment : 1;
  return std::bit_ceil(std::max(alignment, std::size_t{1}));
}

std::string try_aligned(std::size_t alignment, std::size_t bytes) {
  const int other = std::has_single_bit(alignment) ? 0 : EINVAL;
  const std::size_t promised = rounded_alignment(alignment);
  errno = 0;
  void* block = hidden(memalign(hidden(alignment), hidden(bytes)));
  std::string wrong = judged({"memalign", alignment, bytes, bytes, promised, other}, block, errno);
  if (!wrong.empty()) return wrong;
  errno = 0;
  block = hidden(std::aligned_alloc(hidden(alignment), hidden(bytes)));
  wrong = judged({"aligned_alloc", alignment, bytes, bytes, promised, other}, block, errno);
  if (!wrong.empty()) return wrong;
  void* untouched = hidden(static_cast<void*>(nullptr));
  const int error = posix_memalign(&untouched, hidden(alignment), hidden(bytes));
  const Asked asked{"posix_memalign", alignment, bytes, bytes, promised, 0};
  if (!std::has_single_bit(alignment) || alignment < sizeof(void*))
    return error == EINVAL ? "" : in_words(asked, "not EINVAL");
  return judged(asked, error == 0 ? hidden(untouched) : nullptr, error);
}

std::string try_counted(std::size_t count, std::size_t each) {
  const std::size_t bytes = product(count, each);
  errno = 0;
  void* block = hidden(std::calloc(hidden(count), hidden(each)));
  const auto* read = static_cast<volatile unsigned char*>(block);
  const bool zero = block == nullptr || bytes == 0 || bytes > kTouched ||
                    (read[0] == 0 && read[bytes / 2] == 0 && read[bytes - 1] == 0);
  std::string wrong = judged({"calloc", count, each, bytes}, block, errno);
  if (!zero) return in_words({"calloc", count, each, bytes}, "not zero");
  if (!wrong.empty()) return wrong;
  auto* old = static_cast<unsigned char*>(hidden(std::malloc(24)));
  if (old == nullptr)
    return in_words({"reallocarray", count, each, bytes}, "malloc(24) before it is refused");
  fill(old, 24, 0x5C);
  errno = 0;
  block = hidden(reallocarray(old, hidden(count), hidden(each)));
  if (bytes == 0) {  // freed
    std::free(block);
    return "";
  }
  const bool kept = holds(block != nullptr ? block : old, std::min(bytes, std::size_t{24}), 0x5C);
  wrong = judged({"reallocarray", count, each, bytes}, block, errno);
  if (block == nullptr) std::free(old);
  return !kept ? in_words({"reallocarray", count, each, bytes}, "contents are lost") : wrong;
}

std::string try_one_size(std::size_t bytes) {
  errno = 0;
  void* block = hidden(std::malloc(hidden(bytes)));
  std::string wrong = judged({"malloc", bytes, 0, bytes}, block, errno);
  if (!wrong.empty()) return wrong;
  errno = 0;
  block = hidden(valloc(hidden(bytes)));
  wrong = judged({"valloc", bytes, 0, bytes, kPage}, block, errno);
  if (!wrong.empty()) return wrong;
  errno = 0;
  block = hidden(pvalloc(hidden(bytes)));
  const std::size_t pages = bytes > SIZE_MAX - kPage ? kOverflow : (bytes + kPage - 1) / kPage * kPage;
  wrong = judged({"pvalloc", bytes, 0, pages, kPage}, block, errno);
  if (!wrong.empty()) return wrong;
  errno = ENOMEM;  // operator new says nothing by errno
  block = hidden(::operator new(hidden(bytes), std::nothrow));
  return judged({"operator new", bytes, 0, bytes}, block, ENOMEM);
}

// The C++ library's aligned operators wrap around where size plus alignment does (libstdc++ 12), whatever
// malloc is: sizes beyond what malloc can give are left out.
std::string try_aligned_operator(std::size_t alignment, std::size_t bytes) {
  if (!std::has_single_bit(alignment) || bytes > PTRDIFF_MAX || alignment > PTRDIFF_MAX / 2) return "";
  void* block = hidden(::operator new (hidden(bytes), std::align_val_t{hidden(alignment)}, std::nothrow));
  return judged({"aligned operator new", alignment, bytes, bytes, alignment}, block, ENOMEM);
}

std::string under_a_limit(std::string (*attempt)(std::size_t, std::size_t)) {
  std::free(hidden(std::malloc(100)));
  EXPECT(process::set_limit(RLIMIT_AS, process::status_bytes("VmSize") + kHeadroom));
  const Values& all = values();
  for (std::size_t first = 0; first < all.count; ++first)
    for (std::size_t second = 0; second < all.count; ++second) {
      const std::string wrong = attempt(all.list[first], all.list[second]);
      if (!wrong.empty()) return wrong;
    }
  EXPECT(process::lift_limit(RLIMIT_AS));
  void* block = hidden(std::malloc(100 * kMebibyte));
  EXPECT(block != nullptr);
  std::free(block);
  return "";
}

}  // namespace

MALLOC_CHECK(aligned_functions_answer_rightly_around_every_power_of_two) {
  return under_a_limit(try_aligned);
}

MALLOC_CHECK(aligned_operators_answer_rightly_around_every_power_of_two) {
  return under_a_limit(try_aligned_operator);
}

MALLOC_CHECK(calloc_and_reallocarray_answer_rightly_around_every_power_of_two) {
  return under_a_limit(try_counted);
}

MALLOC_CHECK(functions_of_one_size_answer_rightly_around_every_power_of_two) {
  const std::string wrong = under_a_limit([](std::size_t bytes, std::size_t old_bytes) -> std::string {
    if (old_bytes == 0) return try_one_size(bytes);
    if (old_bytes > kMebibyte || bytes == 0) return "";
    auto* old = static_cast<unsigned char*>(hidden(std::malloc(old_bytes)));
    const Asked asked{"realloc", old_bytes, bytes, bytes};
    if (old == nullptr) return in_words(asked, "the old block is refused");
    old[0] = old[old_bytes - 1] = 0x6D;
    errno = 0;
    auto* block = static_cast<unsigned char*>(hidden(std::realloc(old, hidden(bytes))));
    const int error = errno;
    const bool kept = block == nullptr
                          ? old[0] == 0x6D && old[old_bytes - 1] == 0x6D
                          : block[0] == 0x6D && (bytes < old_bytes || block[old_bytes - 1] == 0x6D);
    if (block == nullptr) std::free(old);
    const std::string answer = judged(asked, block, error);
    return kept ? answer : in_words(asked, "contents are lost");
  });
  if (!wrong.empty()) return wrong;
  for (std::size_t at = 0; at < values().count; ++at) {  // without a limit: addresses are many, pages few
    const std::string answer = try_one_size(values().list[at]);
    if (!answer.empty()) return answer;
  }
  return "";
}

MALLOC_CHECK(alignments_around_every_power_of_two_are_had_without_a_limit) {
  for (std::size_t at = 0; at < values().count; ++at)
    for (const std::size_t bytes : {std::size_t{1}, std::size_t{100}, std::size_t{5000}, 3 * kMebibyte}) {
      const std::string wrong = try_aligned(values().list[at], bytes);
      if (!wrong.empty()) return wrong;
    }
  return "";
}

MALLOC_CHECK(memalign_refuses_the_largest_alignment_with_enomem) {
  for (const std::size_t bytes : {std::size_t{1}, std::size_t{100'000}, std::size_t{1} << 62}) {
    errno = 0;
    EXPECT(hidden(memalign(std::size_t{1} << 63, hidden(bytes))) == nullptr && errno == ENOMEM);
  }
  return "";
}

MALLOC_CHECK(posix_memalign_sets_errno_where_memory_is_refused) {
  // POSIX leaves errno open; programs made for glibc read it.
  void* block = nullptr;
  for (const std::size_t bytes : {std::size_t{PTRDIFF_MAX}, std::size_t{1} << 63, SIZE_MAX}) {
    errno = 0;
    EXPECT(posix_memalign(&block, 64, hidden(bytes)) == ENOMEM && errno == ENOMEM);
  }
  errno = 0;
  EXPECT(posix_memalign(&block, std::size_t{1} << 62, hidden(std::size_t{100})) == ENOMEM && errno == ENOMEM);
  return "";
}
