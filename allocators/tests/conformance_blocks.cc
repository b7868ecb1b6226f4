// Single blocks: sizes, zeros, alignment, usable size, errno, realloc (C17 7.22.3; POSIX; malloc(3)).
#include <malloc.h>

#include <cerrno>
#include <vector>

#include "allocators/tests/check.h"

using namespace heapmark::conformance;

namespace {

constexpr std::size_t kSizes[] = {0,     1,     8,      15,     16,     17,     100,     127,    128,
                                  129,   1000,  1024,   4095,   4096,   4097,   16383,   16384,  16385,
                                  20000, 65536, 131071, 131072, 131073, 200000, 1 << 20, 5 << 20};

}  // namespace

MALLOC_CHECK(every_size_is_aligned_and_can_be_written_whole) {
  for (std::size_t size = 0; size < 5000; ++size) {
    void* block = hidden(std::malloc(size));
    EXPECT(block != nullptr && is_aligned(block, 16));
    const std::size_t usable = malloc_usable_size(block);
    EXPECT(usable >= size);
    fill(block, usable, 0xAB);
    EXPECT(holds(block, usable, 0xAB));
    std::free(block);
  }
  for (const std::size_t size : kSizes) {
    void* block = hidden(std::malloc(size));
    EXPECT(block != nullptr && is_aligned(block, 16) && malloc_usable_size(block) >= size);
    fill(block, malloc_usable_size(block), 0xCD);
    std::free(block);
  }
  return "";
}

MALLOC_CHECK(zero_bytes_give_a_block_of_their_own) {
  void* one = hidden(std::malloc(0));
  void* other = hidden(std::malloc(0));
  EXPECT(one != nullptr && other != nullptr && one != other);
  std::free(one);
  std::free(other);
  return "";
}

MALLOC_CHECK(calloc_is_zero_after_reuse) {
  for (const std::size_t size : kSizes) {
    for (int round = 0; round < 3; ++round) {
      void* dirty = hidden(std::malloc(size));
      fill(dirty, size, 0xFF);
      std::free(dirty);
      void* block = hidden(std::calloc(1, size));
      EXPECT(block != nullptr && holds(block, size, 0));
      fill(block, size, 0xEE);
      std::free(block);
    }
  }
  void* small = hidden(std::calloc(300, 7));
  EXPECT(holds(small, 2100, 0));
  std::free(small);
  return "";
}

MALLOC_CHECK(calloc_is_zero_after_memory_was_given_back) {
  std::vector<void*> blocks;
  for (int round = 0; round < 3; ++round) {
    for (int at = 0; at < 400; ++at) {
      blocks.push_back(std::calloc(1, 20000));
      EXPECT(holds(blocks.back(), 20000, 0));
      fill(blocks.back(), 20000, 0x5A);
    }
    for (void* block : blocks) std::free(block);
    blocks.clear();
    malloc_trim(0);
  }
  return "";
}

MALLOC_CHECK(too_large_requests_are_refused_with_enomem) {
  const std::size_t most = PTRDIFF_MAX;
  for (const std::size_t size : {most + 1, SIZE_MAX, SIZE_MAX - 15, SIZE_MAX - 4096}) {
    errno = 0;
    EXPECT(std::malloc(hidden(size)) == nullptr && errno == ENOMEM);
    errno = 0;
    EXPECT(std::aligned_alloc(64, hidden(size)) == nullptr && errno == ENOMEM);
    errno = 0;
    void* block = hidden(std::malloc(100));
    fill(block, 100, 0x11);
    EXPECT(std::realloc(block, hidden(size)) == nullptr && errno == ENOMEM);
    EXPECT(holds(block, 100, 0x11));  // the old block stays
    std::free(block);
  }
  errno = 0;
  EXPECT(pvalloc(hidden(SIZE_MAX - 10)) == nullptr && errno == ENOMEM);
  errno = 0;
  EXPECT(std::calloc(hidden(SIZE_MAX / 2), 3) == nullptr && errno == ENOMEM);
  errno = 0;
  EXPECT(reallocarray(nullptr, hidden(SIZE_MAX / 2), 3) == nullptr && errno == ENOMEM);
  return "";
}

MALLOC_CHECK(alignment_of_every_power_of_two_up_to_a_gibibyte) {
  for (std::size_t alignment = sizeof(void*); alignment <= std::size_t{1} << 30; alignment *= 2) {
    for (const std::size_t size :
         {std::size_t{1}, std::size_t{100}, std::size_t{5000}, std::size_t{300000}}) {
      void* block = nullptr;
      EXPECT(posix_memalign(&block, alignment, size) == 0 && block != nullptr);
      EXPECT(is_aligned(block, alignment));
      fill(block, size, 0x77);
      void* other = hidden(std::aligned_alloc(alignment, size));
      EXPECT(other != nullptr && is_aligned(other, alignment));
      fill(other, size, 0x88);
      void* third = hidden(memalign(alignment, size));
      EXPECT(third != nullptr && is_aligned(third, alignment));
      fill(third, size, 0x99);
      EXPECT(holds(block, size, 0x77) && holds(other, size, 0x88) && holds(third, size, 0x99));
      std::free(block);
      std::free(other);
      std::free(third);
    }
  }
  return "";
}

MALLOC_CHECK(posix_memalign_refuses_wrong_alignments_and_leaves_errno) {
  void* block = hidden(reinterpret_cast<void*>(8));
  errno = 77;
  EXPECT(posix_memalign(&block, 3, 10) == EINVAL);
  EXPECT(posix_memalign(&block, 2, 10) == EINVAL);
  EXPECT(posix_memalign(&block, 0, 10) == EINVAL);
  EXPECT(errno == 77);
  return "";
}

MALLOC_CHECK(valloc_and_pvalloc_are_page_aligned) {
  void* one = hidden(valloc(100));
  void* other = hidden(pvalloc(100));
  EXPECT(is_aligned(one, 4096) && is_aligned(other, 4096));
  EXPECT(malloc_usable_size(other) >= 4096);
  std::free(one);
  std::free(other);
  return "";
}

MALLOC_CHECK(realloc_keeps_contents_growing_and_shrinking) {
  unsigned char* block = static_cast<unsigned char*>(hidden(std::realloc(nullptr, 10)));
  for (int at = 0; at < 10; ++at) block[at] = static_cast<unsigned char>(at);
  std::size_t held = 10;
  for (const std::size_t size : {24u, 100u, 1000u, 15000u, 17000u, 60000u, 140000u, 700000u, 20'000'000u,
                                 600000u, 130000u, 50000u, 16000u, 900u, 30u, 10u}) {
    block = static_cast<unsigned char*>(hidden(std::realloc(block, size)));
    EXPECT(block != nullptr);
    const std::size_t kept = held < size ? held : size;
    for (std::size_t at = 0; at < kept; ++at)
      EXPECT(block[at] == static_cast<unsigned char>(at * 7 % 251) || held == 10);
    for (std::size_t at = 0; at < size; ++at) block[at] = static_cast<unsigned char>(at * 7 % 251);
    held = size;
  }
  std::free(block);
  return "";
}

MALLOC_CHECK(realloc_to_zero_frees) {
  void* block = hidden(std::malloc(100));
  EXPECT(std::realloc(block, hidden(std::size_t{0})) == nullptr);  // as glibc does
  return "";
}

MALLOC_CHECK(free_keeps_errno_and_takes_null) {
  for (const std::size_t size : kSizes) {
    void* block = hidden(std::malloc(size));
    errno = 4711;
    std::free(block);
    EXPECT(errno == 4711);
  }
  std::free(nullptr);
  EXPECT(malloc_usable_size(nullptr) == 0);
  return "";
}

MALLOC_CHECK(mallopt_trim_and_info_are_there) {
  EXPECT(mallopt(M_MMAP_THRESHOLD, 256 * 1024) == 1);
  EXPECT(mallopt(M_TRIM_THRESHOLD, 256 * 1024) == 1);
  EXPECT(mallopt(M_TOP_PAD, 0) == 1);
  void* block = hidden(std::malloc(200'000));  // below the threshold now: from the heap
  const struct mallinfo2 info = mallinfo2();
  EXPECT(info.uordblks >= 200'000 && info.arena >= info.uordblks);
  std::free(block);
  const int trimmed = malloc_trim(0);
  EXPECT(trimmed == 0 || trimmed == 1);
  return "";
}
