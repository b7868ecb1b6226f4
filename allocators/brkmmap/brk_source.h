// The only code that moves the program break. It remembers where it left it: if somebody else has called sbrk
// since, it neither lowers the break nor takes their memory for its own, and goes on above theirs.
// Caller holds the heap's lock. Above: the page heap.
#pragma once

#include "allocators/brkmmap/kernel.h"
#include "allocators/brkmmap/pages.h"

namespace brkmmap {

class BrkSource {
 public:
  explicit constexpr BrkSource(Kernel& kernel) noexcept : kernel_(kernel) {}

  // Where the next grow() will begin: end() unless somebody moved the break. 0 where the break can't be used.
  std::uintptr_t next_start() const noexcept;
  // Raises the break to `end`; `start` from next_start().
  [[nodiscard]] bool grow(std::uintptr_t start, std::uintptr_t end) noexcept;
  // Lowers the break to `to`; `held` bytes of the range have addresses. False where the break isn't ours.
  [[nodiscard]] bool trim(std::uintptr_t to, std::size_t held) noexcept;

  std::uintptr_t first() const noexcept { return first_; }
  std::uintptr_t end() const noexcept { return end_; }

 private:
  Kernel& kernel_;
  std::uintptr_t first_ = 0;
  std::uintptr_t end_ = 0;
};

}  // namespace brkmmap
