// The size classes: every 16 bytes up to 128, then eight to a doubling up to 16 KiB, so that at most 12.5 %
// of a block above 128 bytes is lost inside it (tests/size_classes_test.cc holds it against a naive
// computation). Decides class, object size, pages of a span and batch length; larger requests are whole
// pages.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "allocators/brkmmap/pages.h"

namespace brkmmap {

inline constexpr std::size_t kLinearLimit = 128;     // below: steps of 16 bytes
inline constexpr std::size_t kMaxSmall = 16 * 1024;  // the largest class
inline constexpr std::size_t kStepsPerDoubling = 8;
inline constexpr std::size_t kClasses =
    kLinearLimit / 16 + kStepsPerDoubling * (std::bit_width(kMaxSmall) - std::bit_width(kLinearLimit));

struct SizeClass {
  std::uint32_t size;        // bytes of an object
  std::uint32_t reciprocal;  // ceil(2^32 / size): offset * reciprocal >> 32 == offset / size inside a span
  std::uint16_t pages;       // of a span
  std::uint16_t objects;     // in a span
  std::uint16_t batch;       // objects moved between a thread and the central list at once
};

constexpr std::size_t class_size(std::size_t index) noexcept {
  if (index < kLinearLimit / 16) return (index + 1) * 16;
  const std::size_t above = index - kLinearLimit / 16;
  const std::size_t base = kLinearLimit << (above / kStepsPerDoubling);
  return base + (above % kStepsPerDoubling + 1) * (base / kStepsPerDoubling);
}

// The class of a request: 0 counts as 1. Precondition: bytes <= kMaxSmall.
constexpr std::size_t class_of(std::size_t bytes) noexcept {
  if (bytes <= kLinearLimit) return bytes == 0 ? 0 : (bytes - 1) / 16;
  const std::size_t last = bytes - 1;
  const std::size_t doubling = static_cast<std::size_t>(std::bit_width(last)) - std::bit_width(kLinearLimit);
  const std::size_t shift = doubling + 4;  // log2 of a step: 16 << doubling
  return kLinearLimit / 16 + doubling * kStepsPerDoubling + ((last >> shift) - kStepsPerDoubling);
}

inline constexpr std::array<SizeClass, kClasses> kSizeClasses = [] {
  std::array<SizeClass, kClasses> table{};
  for (std::size_t index = 0; index < kClasses; ++index) {
    const std::size_t size = class_size(index);
    // The smallest span with eight objects (two where they are large) of which at most 1/8 is lost at its
    // end.
    std::size_t pages = 1;
    const std::size_t least = size <= 2048 ? 8 : 2;
    while (pages * kPageSize / size < least || pages * kPageSize % size * 8 > pages * kPageSize) ++pages;
    const std::size_t batch = 8192 / size;
    table[index] = {static_cast<std::uint32_t>(size),
                    static_cast<std::uint32_t>(((std::uint64_t{1} << 32) + size - 1) / size),
                    static_cast<std::uint16_t>(pages), static_cast<std::uint16_t>(pages * kPageSize / size),
                    static_cast<std::uint16_t>(batch < 2    ? 2
                                               : batch > 64 ? 64
                                                            : batch)};
  }
  return table;
}();

static_assert(class_size(kClasses - 1) == kMaxSmall);
static_assert(class_of(kMaxSmall) == kClasses - 1);

}  // namespace brkmmap
