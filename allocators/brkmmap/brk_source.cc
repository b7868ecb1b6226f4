// See brk_source.h.
#include "allocators/brkmmap/brk_source.h"

namespace brkmmap {

std::uintptr_t BrkSource::next_start() const noexcept {
  const std::uintptr_t now = os::program_break();
  if (now < end_) return 0;  // somebody lowered it into our memory: leave it alone for good
  return round_up(now, kPageSize);
}

bool BrkSource::grow(std::uintptr_t start, std::uintptr_t end) noexcept {
  const std::uintptr_t from = start == end_ ? end_ : os::program_break();
  if (!kernel_.raise_break(from, end, end - start)) return false;
  if (first_ == 0) first_ = start;
  end_ = end;
  return true;
}

bool BrkSource::trim(std::uintptr_t to, std::size_t held) noexcept {
  if (os::program_break() != end_ || !kernel_.lower_break(end_, to, held)) return false;
  end_ = to;
  return true;
}

}  // namespace brkmmap
