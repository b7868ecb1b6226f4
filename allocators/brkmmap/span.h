// A span: a run of whole pages that is one thing. Its description lies outside of it, so that a block's own
// pages stay untouched until the program touches them.
//   kFree    in the page heap's tree of free ranges; addresses held
//   kHole    inside the brk heap, addresses given back (munmap); may be mapped again in place
//   kBlock   one block of whole pages handed out from the page heap
//   kSmall   objects of one size class, owned by a central list
//   kMapped  one block that is a mapping of its own
// Only a kSmall span stands in the page map with all of its pages; the others with their first and last one.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "allocators/brkmmap/pages.h"

namespace brkmmap {

enum class SpanState : std::uint8_t { kUnused, kFree, kHole, kBlock, kSmall, kMapped };

// A freed object: the list it is in, and a mark that tells a double free.
struct Object {
  Object* next;
  std::uintptr_t mark;
};

struct Span {
  std::uintptr_t start = 0;
  std::size_t pages = 0;
  std::size_t dirty_pages = 0;  // free spans: how many may have been written; 0: all read as zero
  std::atomic<SpanState> state{SpanState::kUnused};
  std::uint8_t size_class = 0;           // kSmall
  std::uint16_t used = 0;                // kSmall: objects handed out to threads
  std::atomic<std::uint32_t> carved{0};  // kSmall: objects that were ever handed out; the rest is untouched
  Object* objects = nullptr;             // kSmall: freed ones
  Span* left = nullptr;                  // tree of free or of released spans; list of the central list
  Span* right = nullptr;

  std::uintptr_t end() const noexcept { return start + (pages << kPageShift); }
  std::size_t bytes() const noexcept { return pages << kPageShift; }
};

}  // namespace brkmmap
