// Freed mappings that have not been given back, each a piece of one mapping of the kernel's with its pages. A
// request takes the smallest piece that holds it. Where none does, several are put together: mremap moves
// their pages into one range, at some tens of nanoseconds a page where faulting one in anew takes
// microseconds. Such a range consists of several mappings of the kernel's and is remembered as a chain of
// spans, its parts, since the kernel moves only within one. How much is kept is the owner's to say
// (mmap_source). Every function: the caller holds the heap's lock.
#pragma once

#include "allocators/brkmmap/metadata.h"
#include "allocators/brkmmap/span_tree.h"

namespace brkmmap {

class KeptMappings {
 public:
  constexpr KeptMappings(Kernel& kernel, Metadata& metadata) noexcept
      : kernel_(kernel), metadata_(metadata) {}

  // A range of just so many units, whole pages, of which those in the first `*kept_units` were written and
  // the rest, mapped for it, reads as zero. `above` chains its parts, the first one's units being those of
  // all. Null where nothing is kept or the kernel refuses.
  [[nodiscard]] Span* take(std::size_t units, std::size_t* kept_units) noexcept;
  // Makes a range as long as asked for, moved or not, with kept pages as far as there are any: the first
  // `*kept_units` are those that it had and these. False, and nothing changed, where the kernel refuses.
  [[nodiscard]] bool lengthen(Span* range, std::size_t units, std::size_t* kept_units) noexcept;
  // Keeps a range with its parts.
  void put(Span* range) noexcept;
  // Takes pieces out until at most `bytes` are kept, the smallest first; chained by `above`, to be unmapped
  // and deleted. They count as leaving until then.
  [[nodiscard]] Span* shed(std::size_t bytes) noexcept;

  std::size_t bytes() const noexcept { return pieces_.units() << kUnitShift; }

 private:
  static constexpr std::size_t kMostPieces = 64;
  static constexpr std::size_t kMostParts = 16;
  // Smaller ones are not worth a call.
  static constexpr std::size_t kLeastUnits = (std::size_t{64} << 10) >> kUnitShift;

  bool cut(Span* piece, std::size_t units) noexcept;
  Span* put_together(std::size_t units, std::size_t* kept_units) noexcept;
  Span* piece_at(std::uintptr_t start) const noexcept;
  static Span* append(Span* range, Span* last, Span* part) noexcept;
  bool make_room(Span* range, Span* last, std::size_t units, bool* apart) noexcept;
  Span* move_next(const Span* range, std::size_t missing) noexcept;
  void give_back(std::uintptr_t start, std::size_t bytes) noexcept;
  void insert(Span* piece) noexcept;
  void erase(Span* piece) noexcept;

  Kernel& kernel_;
  Metadata& metadata_;
  SpanTree pieces_;
};

}  // namespace brkmmap
