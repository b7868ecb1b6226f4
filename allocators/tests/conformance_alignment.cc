// Where blocks lie: every size, every power-of-two alignment, and C++'s aligned operator new (C17 7.22.3;
// POSIX; memalign(3); C++20 [new.delete]). What a block holds is conformance_contents.
#include <malloc.h>

#include <cerrno>
#include <cstddef>
#include <new>
#include <vector>

#include "allocators/tests/check.h"

using namespace heapmark::conformance;

namespace {

constexpr std::size_t kGibibyte = std::size_t{1} << 30;
constexpr std::size_t kMostBytes = 4096;

using Ask = void* (*)(std::size_t alignment, std::size_t bytes);

void* ask_posix(std::size_t alignment, std::size_t bytes) {
  void* block = nullptr;
  return posix_memalign(&block, alignment, bytes) == 0 ? block : nullptr;
}
void* ask_c(std::size_t alignment, std::size_t bytes) {
  return std::aligned_alloc(alignment, bytes);
}
void* ask_old(std::size_t alignment, std::size_t bytes) {
  return memalign(alignment, bytes);
}

std::string text(std::size_t alignment, std::size_t bytes) {
  return std::to_string(bytes) + " bytes at an alignment of " + std::to_string(alignment);
}

// Every size up to a page where the alignment is at most a page; 65 of them above, for each may cost a
// mapping. The last two blocks are held, so that no answer is merely the block freed just now.
std::string every_size_and_alignment(Ask ask, std::size_t least) {
  for (std::size_t alignment = least; alignment <= kGibibyte; alignment *= 2) {
    const std::size_t step = alignment <= kMostBytes ? 1 : 63;
    void* held[2] = {};
    for (std::size_t bytes = 1; bytes <= kMostBytes; bytes += step) {
      void* block = hidden(ask(alignment, bytes));
      if (block == nullptr) return "refused: " + text(alignment, bytes);
      if (!is_aligned(block, alignment)) return "not aligned: " + text(alignment, bytes);
      if (malloc_usable_size(block) < bytes) return "too small: " + text(alignment, bytes);
      fill(block, bytes, 0x3C);
      std::free(held[0]);
      held[0] = held[1];
      held[1] = block;
    }
    std::free(held[0]);
    std::free(held[1]);
  }
  return "";
}

}  // namespace

MALLOC_CHECK(malloc_aligns_every_size_up_to_a_page_for_max_align_t) {
  std::vector<void*> blocks(kMostBytes + 1);
  for (std::size_t bytes = 1; bytes <= kMostBytes; ++bytes) {
    void* block = blocks[bytes] = hidden(std::malloc(bytes));
    // C23 (N2293): a block smaller than an alignment need not have it.
    const std::size_t alignment = bytes >= alignof(std::max_align_t) ? alignof(std::max_align_t) : 8;
    EXPECT(block != nullptr && (bytes < 8 || is_aligned(block, alignment)));
  }
  for (std::size_t bytes = 1; bytes <= kMostBytes; ++bytes) {
    blocks[bytes] = hidden(std::realloc(blocks[bytes], bytes + 100));
    EXPECT(blocks[bytes] != nullptr && is_aligned(blocks[bytes], alignof(std::max_align_t)));
    std::free(blocks[bytes]);
  }
  return "";
}

MALLOC_CHECK(posix_memalign_aligns_every_size_to_every_power_of_two) {
  return every_size_and_alignment(ask_posix, sizeof(void*));
}

MALLOC_CHECK(aligned_alloc_aligns_every_size_to_every_power_of_two) {
  return every_size_and_alignment(ask_c, 1);
}

MALLOC_CHECK(memalign_aligns_every_size_to_every_power_of_two) {
  return every_size_and_alignment(ask_old, 1);
}

MALLOC_CHECK(aligned_requests_of_no_bytes_can_be_freed) {
  for (std::size_t alignment = sizeof(void*); alignment <= kGibibyte; alignment *= 2)
    for (const Ask ask : {ask_posix, ask_c, ask_old}) {
      void* block = hidden(ask(alignment, hidden(std::size_t{0})));
      EXPECT(block == nullptr || is_aligned(block, alignment));
      std::free(block);
    }
  return "";
}

MALLOC_CHECK(aligned_requests_too_large_are_refused_with_enomem) {
  const std::size_t most = PTRDIFF_MAX;
  for (std::size_t alignment = sizeof(void*); alignment <= kGibibyte; alignment *= 2)
    for (const std::size_t bytes : {most, most + 1, SIZE_MAX - alignment, SIZE_MAX - alignment + 1,
                                    SIZE_MAX - alignment + 2, SIZE_MAX - 15, SIZE_MAX}) {
      void* untouched = hidden(reinterpret_cast<void*>(8));
      const int refused = posix_memalign(&untouched, alignment, hidden(bytes));
      if (refused != ENOMEM)
        return "posix_memalign answers " + std::to_string(refused) + ": " + text(alignment, bytes);
      for (const Ask ask : {ask_c, ask_old}) {
        errno = 0;
        void* block = hidden(ask(alignment, hidden(bytes)));
        if (block != nullptr || errno != ENOMEM)
          return std::string(ask == ask_c ? "aligned_alloc" : "memalign") +
                 (block == nullptr ? " gives null" : " gives a block") + ", errno " + std::to_string(errno) +
                 ": " + text(alignment, bytes);
      }
    }
  return "";
}

MALLOC_CHECK(aligned_blocks_keep_contents_in_realloc) {
  for (std::size_t alignment = 16; alignment <= std::size_t{4} << 20; alignment *= 2)
    for (const std::size_t bytes : {1u, 100u, 3000u, 20000u, 300000u})
      for (const std::size_t then : {1u, 90u, 3100u, 40000u, 2'000'000u}) {
        void* block = hidden(std::aligned_alloc(alignment, bytes));
        EXPECT(block != nullptr && is_aligned(block, alignment));
        fill(block, bytes, 0x69);
        block = hidden(std::realloc(block, then));
        EXPECT(block != nullptr && holds(block, bytes < then ? bytes : then, 0x69));
        fill(block, then, 0x96);
        std::free(block);
      }
  return "";
}

MALLOC_CHECK(operator_new_aligns_and_is_freed_by_every_delete) {
  for (std::size_t alignment = 1; alignment <= std::size_t{1} << 24; alignment *= 2) {
    const std::align_val_t aligned{alignment};
    for (const std::size_t bytes : {0u, 1u, 24u, 100u, 1024u, 5000u, 33000u, 300000u}) {
      void* one = hidden(::operator new(bytes, aligned));
      void* other = hidden(::operator new[](bytes, aligned, std::nothrow));
      void* third = hidden(::operator new(bytes, aligned));
      EXPECT(one != other && one != third && other != third);
      for (void* block : {one, other, third}) {
        EXPECT(block != nullptr && is_aligned(block, alignment));
        fill(block, bytes, 0x2D);
      }
      ::operator delete(one, aligned);
      ::operator delete[](other, bytes, aligned);
      ::operator delete(third, aligned, std::nothrow);
    }
  }
  return "";
}

MALLOC_CHECK(operator_new_gives_blocks_of_their_own_and_sized_delete_takes_them) {
  for (std::size_t bytes = 0; bytes < 3000; ++bytes) {
    void* one = hidden(::operator new(bytes));
    void* other = hidden(::operator new[](bytes));
    void* third = hidden(::operator new(bytes, std::nothrow));
    EXPECT(one != nullptr && other != nullptr && third != nullptr);
    EXPECT(one != other && one != third && other != third);
    fill(one, bytes, 1);
    fill(other, bytes, 2);
    fill(third, bytes, 3);
    EXPECT(holds(one, bytes, 1) && holds(other, bytes, 2) && holds(third, bytes, 3));
    ::operator delete(one, bytes);
    ::operator delete[](other, bytes);
    ::operator delete(third);
  }
  ::operator delete(hidden(static_cast<void*>(nullptr)));
  ::operator delete[](hidden(static_cast<void*>(nullptr)), std::size_t{16});
  return "";
}
